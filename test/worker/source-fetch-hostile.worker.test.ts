import { describe, expect, it } from 'vitest';

import { CLOCK } from '../../src/research/fetch/clock.ts';
import { fetchSource } from '../../src/research/fetch/fetch-source.ts';
import type { FetchSettings } from '../../src/research/fetch/model.ts';
import { raw, visitsOf } from '../support/abroad.ts';

/**
 * A server that means harm, reached as any public one is: over https, by a name, through every rule of the guard, with
 * no exception for this machine (test/support/outside-world.ts).
 */
const HOSTILE = 'https://hostile.example.com';

const SETTINGS: FetchSettings = {
  origin: 'https://carrel.example.com',
  loopback: false,
  robots: false,
  // What is tried again is tried at once.
  clock: { ...CLOCK, sleep: async () => undefined },
};

/** What came, or why nothing did, without what one cannot know beforehand. */
async function outcomeOf(address: string, more: Partial<FetchSettings> = {}): Promise<Record<string, unknown>> {
  try {
    const { bytes, url, type } = await fetchSource({ ...SETTINGS, ...more, address });
    return { url, type, text: new TextDecoder('latin1').decode(bytes.subarray(0, 200)), size: bytes.byteLength };
  } catch (thrown) {
    const { code, details } = thrown as { code: string; details: object };
    return { code, ...details };
  }
}

const response = (head: string, body = '', status = '200 OK') =>
  `HTTP/1.1 ${status}\r\n${head === '' ? '' : `${head}\r\n`}Connection: close\r\n\r\n${body}`;
const html = (body: string, head = '') => response(`Content-Type: text/html${head && `\r\n${head}`}`, body);

/** Hosts and addresses that are not fetched, directly or after a redirect. */
const FORBIDDEN: readonly (readonly [what: string, address: string, reason: string])[] = [
  ['a private address, 10/8', 'https://10.0.0.1/', 'not_a_public_address'],
  ['a private address, 172.16/12', 'https://172.31.255.254/', 'not_a_public_address'],
  ['a private address, 192.168/16', 'https://192.168.1.1/', 'not_a_public_address'],
  ['shared address space', 'https://100.64.0.1/', 'not_a_public_address'],
  ['loopback', 'https://127.0.0.1/', 'not_a_public_address'],
  ['loopback, another of its addresses', 'https://127.9.9.9/', 'not_a_public_address'],
  ['loopback, short', 'https://127.1/', 'not_a_public_address'],
  ['loopback, decimal', 'https://2130706433/', 'not_a_public_address'],
  ['loopback, octal', 'https://0177.0.0.01/', 'not_a_public_address'],
  ['loopback, hexadecimal', 'https://0x7f000001/', 'not_a_public_address'],
  ['loopback, with a dot behind', 'https://127.0.0.1./', 'not_a_public_address'],
  ['loopback, percent-encoded', 'https://%31%32%37.0.0.1/', 'not_a_public_address'],
  ['loopback, in digits of full width', 'https://１２７.0.0.1/', 'not_a_public_address'],
  ['loopback, with ideographic dots', 'https://127。0。0。1/', 'not_a_public_address'],
  ['this network', 'https://0.0.0.0/', 'not_a_public_address'],
  ['link-local, and the metadata of a cloud', 'https://169.254.169.254/', 'not_a_public_address'],
  ['the metadata of a cloud, hexadecimal', 'https://0xA9FEA9FE/', 'not_a_public_address'],
  ['the metadata of another cloud', 'https://[fd00:ec2::254]/', 'not_a_public_address'],
  ['the metadata of another cloud, by name', 'https://metadata.google.internal/', 'not_a_public_host'],
  ['broadcast', 'https://255.255.255.255/', 'not_a_public_address'],
  ['multicast', 'https://224.0.0.1/', 'not_a_public_address'],
  ['loopback of IPv6', 'https://[::1]/', 'not_a_public_address'],
  ['no address of IPv6', 'https://[::]/', 'not_a_public_address'],
  ['loopback mapped into IPv6', 'https://[::ffff:127.0.0.1]/', 'not_a_public_address'],
  ['a private address mapped into IPv6', 'https://[::ffff:a00:1]/', 'not_a_public_address'],
  ['loopback behind NAT64', 'https://[64:ff9b::7f00:1]/', 'not_a_public_address'],
  ['loopback behind 6to4', 'https://[2002:7f00:1::1]/', 'not_a_public_address'],
  ['a unique local address', 'https://[fc00::1]/', 'not_a_public_address'],
  ['link-local of IPv6', 'https://[fe80::1]/', 'not_a_public_address'],
  ['localhost', 'https://localhost/', 'not_a_public_host'],
  ['localhost, shouted, with a dot behind', 'https://LOCALHOST./', 'not_a_public_host'],
  ['below localhost', 'https://a.b.localhost/', 'not_a_public_host'],
  ['localhost in letters of full width', 'https://ｌｏｃａｌｈｏｓｔ/', 'not_a_public_host'],
  ['localhost with a soft hyphen', 'https://local\u00ADhost/', 'not_a_public_host'],
  ['a machine of the network', 'https://printer.local/', 'not_a_public_host'],
  ['a name without a dot', 'https://intranet/', 'not_a_public_host'],
  ['a name that says its address', 'https://127.0.0.1.nip.io/', 'not_a_public_host'],
  ['a name that says its address, with hyphens', 'https://app-10-0-0-1.sslip.io/', 'not_a_public_host'],
  ['a name that is known to be of this machine', 'https://anything.localtest.me/', 'not_a_public_host'],
  ['http', 'http://example.com/', 'not_https'],
  ['another scheme: ftp', 'ftp://example.com/', 'not_https'],
  ['another scheme: file', 'file:///etc/passwd', 'not_https'],
  ['another scheme: data', 'data:text/html,<p>hello', 'not_https'],
  ['another scheme: javascript', 'javascript:alert(1)', 'not_https'],
  ['another scheme: gopher', 'gopher://example.com/_x', 'not_https'],
  ['another scheme: blob', 'blob:https://example.com/1', 'not_https'],
  ['another scheme: wss', 'wss://example.com/', 'not_https'],
  ['a name and a password', 'https://user:secret@example.com/', 'credentials'],
  ['a host that is none: a name', 'https://example.com@10.0.0.1/', 'credentials'],
  ['a port: 8443', 'https://example.com:8443/', 'port'],
  ['a port: 22', 'https://example.com:22/', 'port'],
  ['a port: 80', 'https://example.com:80/', 'port'],
  ['this deployment', 'https://carrel.example.com/files', 'this_deployment'],
  ['this deployment, spelt otherwise', 'https://CARREL.example.com./', 'this_deployment'],
  ['no URL', 'https://[', 'not_a_url'],
];

/** The host that would have been asked, as `Host` names it. */
const hostOf = (address: string) => URL.parse(address)?.host ?? '';

describe('nobody is asked', () => {
  it.each(FORBIDDEN)('at %s: %s', async (_what, address, reason) => {
    expect(await outcomeOf(address)).toEqual({ code: 'invalid_input', reason });
    expect((await visitsOf(hostOf(address))).paths).toEqual([]);
  });

  it.each(FORBIDDEN)('after a redirect to %s: %s', async (_what, address, reason) => {
    const location = String.fromCharCode(...new TextEncoder().encode(address));
    const redirect = raw(response(`Location: ${location}`, 'moved', '302 Found'));
    expect(await outcomeOf(redirect)).toEqual({ code: 'invalid_input', reason });
    expect((await visitsOf(hostOf(address))).paths).toEqual([]);
  });
});

const WAY = { code: 'invalid_input', reason: 'status' };
const BROKEN = { code: 'unavailable', reason: 'unreachable' };
const SLOW = { code: 'unavailable', reason: 'too_slow' };
const LARGE = { code: 'too_large', reason: 'too_large', limit: 10_000_000 };
const ENCODED = { code: 'unsupported', reason: 'content_encoding' };
const TYPE = { code: 'unsupported', reason: 'type' };

type Row = readonly [what: string, address: string, outcome: Record<string, unknown>];
const status = (is: number) => `${HOSTILE}/status?is=${is}`;
const redirect = (location: string, body = '') => raw(response(`Location: ${location}`, body, '302 Found'));

const REDIRECTS: readonly Row[] = [
  ['to nowhere', raw(response('', 'moved', '302 Found')), { ...WAY, status: 302 }],
  ['to an empty address', redirect(''), { ...WAY, status: 302 }],
  ['in a circle', `${HOSTILE}/around/a`, { code: 'invalid_input', reason: 'too_many_redirects' }],
  ['fifty times', `${HOSTILE}/hops?left=50`, { code: 'invalid_input', reason: 'too_many_redirects' }],
  ['to an address of 9,000 characters', `${HOSTILE}/to-long`, { code: 'invalid_input', reason: 'too_long' }],
  ['to a host without a scheme', redirect('//10.0.0.1/x'), { code: 'invalid_input', reason: 'not_a_public_address' }],
  [
    'to a host behind backslashes',
    redirect('\\\\10.0.0.1\\x'),
    { code: 'invalid_input', reason: 'not_a_public_address' },
  ],
  ['to a host with a tab in it', redirect('https://exa\tmple.com:22/'), { code: 'invalid_input', reason: 'port' }],
  ['to two places', redirect('https://a.example.com/\r\nLocation: https://10.0.0.1/'), SLOW],
  [
    'with an encoded end of line',
    redirect('/hello.txt?%0d%0aX-Smuggled:%201'),
    { url: `${HOSTILE}/hello.txt?%0d%0aX-Smuggled:%201`, text: 'hello' },
  ],
  [
    'with a body that never ends',
    raw(response('Location: /hello.txt', 'x'.repeat(1000), '302 Found'), 'hold'),
    { url: `${HOSTILE}/hello.txt` },
  ],
  [
    'by a choice (300)',
    raw(response('Location: https://10.0.0.1/\r\nContent-Type: text/html', 'choose', '300 Multiple Choices')),
    { ...WAY, status: 300 },
  ],
  ['by a proxy (305)', raw(response('Location: https://10.0.0.1/', '', '305 Use Proxy')), { ...WAY, status: 305 }],
  ['by a header of its own (Refresh)', raw(html('stay', 'Refresh: 0; url=https://10.0.0.1/')), { text: 'stay' }],
  [
    'by a page (meta refresh)',
    raw(html('<meta http-equiv=refresh content="0;url=https://10.0.0.1/">')),
    { type: 'text/html' },
  ],
];

const LENGTHS: readonly Row[] = [
  ['a body that never ends', `${HOSTILE}/endless`, LARGE],
  ['one byte too many', `${HOSTILE}/bytes?size=10000001`, LARGE],
  ['a body that comes drop by drop', `${HOSTILE}/drip`, SLOW],
  ['no answer', `${HOSTILE}/never`, SLOW],
  ['a header that comes drop by drop', `${HOSTILE}/header-drip`, SLOW],
  ['headers of 1 MB', `${HOSTILE}/headers?size=1000000`, BROKEN],
  ['headers of 100 KB', `${HOSTILE}/headers?size=100000`, { text: 'hello' }],
  ['a length of 100 GB', raw(html('x', 'Content-Length: 99999999999')), LARGE],
  ['a length beyond all numbers', raw(html('x', `Content-Length: ${'9'.repeat(30)}`)), BROKEN],
  ['a negative length', raw(html('hello', 'Content-Length: -1')), BROKEN],
  ['a length in words', raw(html('hello', 'Content-Length: five')), BROKEN],
  ['a length with a sign', raw(html('hello', 'Content-Length: +5')), BROKEN],
  ['a hexadecimal length', raw(html('hello', 'Content-Length: 0x5')), BROKEN],
  ['two lengths', raw(html('hello', 'Content-Length: 5\r\nContent-Length: 3')), BROKEN],
  ['a length that is too short', raw(html('hello and more', 'Content-Length: 5')), { text: 'hello', size: 5 }],
  ['a length that is too long', raw(html('hello', 'Content-Length: 50')), BROKEN],
  [
    'a length and chunks',
    raw(html('5\r\nhello\r\n0\r\n\r\n', 'Content-Length: 2\r\nTransfer-Encoding: chunked')),
    { text: 'hello' },
  ],
  ['a chunk without a length', raw(html('zz\r\nhello\r\n0\r\n\r\n', 'Transfer-Encoding: chunked')), BROKEN],
  ['a chunk larger than all memory', raw(html('ffffffffffffffff\r\nhello', 'Transfer-Encoding: chunked')), BROKEN],
  ['chunks without an end', raw(html('5\r\nhello\r\n', 'Transfer-Encoding: chunked')), BROKEN],
  ['half a body and a reset', raw(html('hel', 'Content-Length: 50'), 'reset'), BROKEN],
  [
    'a second answer behind the first',
    raw(html('one', 'Content-Length: 3') + html('two', 'Content-Length: 3')),
    { text: 'one' },
  ],
  ['nothing', `${HOSTILE}/empty`, { code: 'unsupported', reason: 'empty' }],
];

const ENCODINGS: readonly Row[] = [
  ['a bomb, gzip', `${HOSTILE}/bombs?as=gzip`, LARGE],
  ['a bomb, br', `${HOSTILE}/bombs?as=br`, LARGE],
  ['a bomb, deflate', `${HOSTILE}/bombs?as=deflate`, ENCODED],
  ['a bomb in a bomb', `${HOSTILE}/bombs?as=${encodeURIComponent('gzip, gzip')}`, ENCODED],
  ['a bomb in another', `${HOSTILE}/bombs?as=${encodeURIComponent('br, gzip')}`, ENCODED],
  ['a bomb without an end', `${HOSTILE}/bomb`, LARGE],
  ['gzip that is none', raw(html('hello', 'Content-Encoding: gzip')), BROKEN],
  ['br that is none', raw(html('hello', 'Content-Encoding: br')), BROKEN],
  ['gzip that was cut', `${HOSTILE}/half`, BROKEN],
  ['gzip said twice', raw(html('hello', 'Content-Encoding: gzip\r\nContent-Encoding: gzip')), ENCODED],
  ['gzip in capitals, which nobody decodes', raw(html('hello', 'Content-Encoding: GZIP')), ENCODED],
  ['gzip although nobody asked for it', `${HOSTILE}/zipped.txt`, { text: 'zipped' }],
];

const TYPES: readonly Row[] = [
  ['a PDF that is said to be a page', raw(html('%PDF-1.7')), { type: 'text/html', text: '%PDF-1.7' }],
  [
    'a page that is said to be a PDF',
    raw(response('Content-Type: application/pdf', '<p>x')),
    { type: 'application/pdf', text: '<p>x' },
  ],
  [
    'Latin-1 that is said to be UTF-8',
    raw(response('Content-Type: text/html; charset=utf-8', '<p>\u00E4')),
    { type: 'text/html; charset=utf-8', text: '<p>\u00E4' },
  ],
  ['no type', raw(response('', '<p>x')), { type: '', text: '<p>x' }],
  ['a type of 3,000 characters', raw(response(`Content-Type: text/html; x=${'y'.repeat(3000)}`, '<p>x')), { type: '' }],
  ['a type that is no ASCII', raw(response('Content-Type: text/\u00FF', '<p>x')), { type: '' }],
  [
    'parts that replace each other',
    raw(response('Content-Type: multipart/x-mixed-replace; boundary=x', '--x'), 'hold'),
    TYPE,
  ],
  ['a picture', raw(response('Content-Type: IMAGE/png', '\u0089PNG')), TYPE],
  ['zeros in a text', raw(html('a\0b')), { text: 'a\0b' }],
  ['a success with an error inside', raw(html('<h1>404 Not Found</h1>')), { text: '<h1>404 Not Found</h1>' }],
];

const NO_HTTP: readonly Row[] = [
  ['another protocol', raw('SSH-2.0-OpenSSH_9.6\r\n'), BROKEN],
  ['no headers at all', raw('<p>hello'), BROKEN],
  ['HTTP/2 where nobody asked for it', raw('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), BROKEN],
  ['no byte', raw(''), BROKEN],
  ['a reset', raw('', 'reset'), BROKEN],
  ['a status that is no number', raw('HTTP/1.1 OK\r\n\r\n'), BROKEN],
  ['a header without a colon', raw(response('X-A', 'x')), BROKEN],
  ['a header over two lines', raw(response('X-A: 1\r\n folded', 'x')), BROKEN],
  ['a zero in a header', raw(response('X-A: a\0b', 'x')), BROKEN],
  ['another transfer encoding', raw(html('hello', 'Transfer-Encoding: gzip')), BROKEN],
];

const STATUSES: readonly Row[] = [
  ['an upgrade (101)', raw(response('Upgrade: websocket', 'x', '101 Switching Protocols')), { ...WAY, status: 101 }],
  ['no content (204)', status(204), { ...WAY, status: 204 }],
  ['a part (206)', status(206), { ...WAY, status: 206 }],
  ['no change since (304)', status(304), { ...WAY, status: 304 }],
  ['a bad request (400)', status(400), { ...WAY, status: 400 }],
  ['a sign-in (401)', status(401), { code: 'invalid_input', reason: 'sign_in_needed', status: 401 }],
  ['a payment (402)', status(402), { code: 'invalid_input', reason: 'sign_in_needed', status: 402 }],
  ['a refusal (403)', status(403), { code: 'invalid_input', reason: 'refused_there', status: 403 }],
  ['a refusal by law (451)', status(451), { code: 'invalid_input', reason: 'refused_there', status: 451 }],
  ['nothing there (404)', status(404), { code: 'invalid_input', reason: 'not_there', status: 404 }],
  ['nothing there any more (410)', status(410), { code: 'invalid_input', reason: 'not_there', status: 410 }],
  ['too much asked (429)', status(429), { code: 'unavailable', reason: 'too_many_requests', status: 429 }],
  ['a failure (500)', status(500), { code: 'unavailable', reason: 'failed_there', status: 500 }],
  ['a failure (503)', status(503), { code: 'unavailable', reason: 'failed_there', status: 503 }],
  ['a status that nobody has defined (999)', status(999), { code: 'unavailable', reason: 'failed_there', status: 999 }],
];

/** Those that take as long as they may do so for less than a second here. */
const ROWS = { redirects: REDIRECTS, lengths: LENGTHS, encodings: ENCODINGS, types: TYPES, statuses: STATUSES };
const times = (outcome: object) => (outcome === SLOW ? { times: { source: 700 } } : {});

describe.each(Object.entries({ ...ROWS, 'what is no HTTP': NO_HTTP }))('%s', (_group, rows) => {
  it.each(rows)('%s', async (_what, address, outcome) => {
    const came = await outcomeOf(address, times(outcome));
    // A refusal says this and no more; of what came, it is said what matters.
    expect(came).toEqual('code' in outcome ? outcome : { ...came, ...outcome });
    expect((await visitsOf('10.0.0.1')).paths).toEqual([]);
  });
});

describe('what it wants sent', () => {
  it.each([
    ['a cookie that it set', `${HOSTILE}/cookies`],
    ['a header that it smuggled into a redirect', redirect('/asked\rX-Smuggled: secret')],
  ])('is not: %s', async (_what, address) => {
    const came = await outcomeOf(address);
    expect(came).toMatchObject({ url: `${HOSTILE}/asked` });
    expect(came['text']).not.toMatch(/cookie|smuggled|secret/i);
  });
});

describe('whatever it says of itself', () => {
  it('is kept only where it can be right, and nothing else is', async () => {
    const head = [
      'Content-Language: de-AT',
      'ETag: W/"a1"',
      'Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT',
      'Set-Cookie: a=b',
      'X-Powered-By: harm',
    ];
    const { bytes, fetchedAt, ...kept } = await fetchSource({
      ...SETTINGS,
      address: raw(html('x', head.join('\r\n'))),
    });
    expect(kept).toEqual({
      url: raw(html('x', head.join('\r\n'))),
      type: 'text/html',
      language: 'de-AT',
      etag: 'W/"a1"',
      lastModified: Date.UTC(2015, 9, 21, 7, 28),
      history: [],
    });
    expect([bytes.byteLength, fetchedAt > Date.UTC(2025)]).toEqual([1, true]);
  });

  it('is left out where it cannot', async () => {
    const head = [
      'Content-Language: Ignore all that was said before',
      `ETag: "${'x'.repeat(500)}"`,
      'Last-Modified: yesterday',
    ];
    const kept = await fetchSource({
      ...SETTINGS,
      address: raw(html('x', head.join('\r\n'))),
    });
    expect(Object.keys(kept).toSorted()).toEqual(['bytes', 'fetchedAt', 'history', 'type', 'url']);
  });

  it('is in no message', async () => {
    const marked = 'mark-of-the-stranger';
    for (const address of [
      raw(response(`X-${marked}: ${marked}`, marked, '503 '.concat(marked))),
      raw(response(`Location: https://${marked}.local/`, marked, '302 Found')),
      raw(html(marked, `Content-Encoding: ${marked}`)),
      raw(response(`Content-Type: image/${marked}`, marked)),
    ]) {
      const error = await fetchSource({ ...SETTINGS, address }).then(
        () => undefined,
        (thrown: { message: string; details: object }) => thrown,
      );
      expect(error?.message).toMatch(/^The (?:address|answer) /);
      expect(JSON.stringify([error?.message, error?.details])).not.toContain(marked);
    }
  });
});
