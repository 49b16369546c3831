import { describe, expect, it } from 'vitest';

import { fetchAll } from '../../src/research/fetch/fetch-all.ts';
import { fetchSource } from '../../src/research/fetch/fetch-source.ts';
import type { FetchedSource, FetchSettings } from '../../src/research/fetch/model.ts';
import { raw, tellRobots, visitsOf } from '../support/abroad.ts';

const SETTINGS: FetchSettings = { origin: 'https://carrel.example.com', loopback: false, robots: false };

/** A clock on which every pause is over at once, and that tells them. */
function hurried() {
  const pauses: number[] = [];
  let ahead = 0;
  const sleep = async (milliseconds: number) => {
    pauses.push(milliseconds);
    ahead += milliseconds;
  };
  return { pauses, clock: { now: () => Date.now() + ahead, random: () => 0.5, sleep } };
}

const textOf = ({ bytes }: FetchedSource) => new TextDecoder().decode(bytes);
const fetchFrom = async (address: string, more: Partial<FetchSettings> = {}) =>
  fetchSource({ ...SETTINGS, ...more, address });
/** Why nothing came. */
const refusalOf = async (address: string, more: Partial<FetchSettings> = {}) =>
  fetchFrom(address, more).then(textOf, ({ code, details }: { code: string; details: object }) => ({
    code,
    ...details,
  }));

describe('a source', () => {
  it('comes with where it came from, and by which way', async () => {
    const source = await fetchFrom('https://way.example.com/hops?left=1#part');
    expect([textOf(source), source.url, source.type]).toEqual([
      'hello',
      'https://way.example.com/hello.txt',
      'text/plain',
    ]);
    expect(source.history).toEqual([
      { url: 'https://way.example.com/hops?left=1', status: 302 },
      { url: 'https://way.example.com/hops?left=0', status: 302 },
    ]);
  });

  it('is asked for as Markdown first, by name, and with nothing that is somebody’s', async () => {
    const asked = JSON.parse(textOf(await fetchFrom('https://way.example.com/asked'))) as Record<string, string>;
    expect(asked).toMatchObject({
      accept: 'text/markdown, text/html;q=0.9, application/pdf;q=0.9, */*;q=0.5',
      'user-agent': expect.stringMatching(/^Carrel\/[\d.]+ \(\+https:\/\/carrel\.example\.com\)$/) as string,
    });
    expect(Object.keys(asked).filter((name) => /cookie|authori[sz]ation|referer|forwarded/.test(name))).toEqual([]);
  });

  it('is found by its DOI and its id of arXiv', async () => {
    await refusalOf('doi:10.1000/ABC', { times: { source: 200 } });
    expect((await visitsOf('doi.org')).paths).toEqual(['/10.1000/abc']);
    await refusalOf('arXiv:2401.00001v2', { times: { source: 200 } });
    expect((await visitsOf('arxiv.org')).paths).toEqual(['/pdf/2401.00001v2']);
  });

  it.each([
    ['ftp://example.com/', 'not_https'],
    ['no address', 'not_a_url'],
    ['doi:nothing', 'not_a_doi'],
    ['arXiv:nothing', 'not_an_arxiv_id'],
    ['https://user:secret@example.com/', 'credentials'],
  ])('is none at %s', async (address, reason) => {
    expect(await refusalOf(address)).toEqual({ code: 'invalid_input', reason });
  });

  it('may be as large as 10 MB', async () => {
    expect((await fetchFrom('https://way.example.com/bytes?size=10000000')).bytes.byteLength).toBe(10_000_000);
  });

  it('ends when its caller has gone', async () => {
    const caller = new AbortController();
    const refused = refusalOf('https://way.example.com/drip', { signal: caller.signal });
    setTimeout(() => caller.abort(), 100);
    expect(await refused).toEqual({ code: 'unavailable', reason: 'not_reached' });
    expect(await refusalOf('https://gone.example.com/', { signal: caller.signal })).toMatchObject({
      reason: 'not_reached',
    });
    expect((await visitsOf('gone.example.com')).paths).toEqual([]);
  });
});

describe('what passes', () => {
  it.each([429, 502, 503, 504])('is tried twice more: %i', async (status) => {
    const { clock, pauses } = hurried();
    const address = `https://flaky.example.com/flaky?fails=2&status=${status}`;
    const source = await fetchFrom(address, { clock });
    expect(textOf(source)).toBe('<p>at try 3');
    expect(source.history).toEqual([
      { url: address, status },
      { url: address, status },
    ]);
    expect(pauses).toEqual([500, 1000]);
  });

  it('is tried twice more: a connection that breaks', async () => {
    const { clock } = hurried();
    const address = 'https://flaky.example.com/flaky?fails=2&cut=1';
    expect((await fetchFrom(address, { clock })).history).toEqual([{ url: address }, { url: address }]);
  });

  it('is not tried a fourth time', async () => {
    const { clock } = hurried();
    const refused = await refusalOf('https://four.example.com/flaky?fails=3&status=503', { clock });
    expect(refused).toEqual({ code: 'unavailable', status: 503, reason: 'failed_there' });
    expect((await visitsOf('four.example.com')).paths).toHaveLength(3);
  });

  it('is waited for as long as the host asks, if there is that much time', async () => {
    const { clock, pauses } = hurried();
    await fetchFrom('https://after.example.com/flaky?fails=1&status=503&after=7', { clock });
    expect(pauses).toContain(7000);
    const inAnHour = new Date(Date.now() + 3_600_000).toUTCString();
    for (const after of ['16', '999999999', inAnHour]) {
      const refused = await refusalOf(`https://long.example.com/flaky?fails=1&status=429&after=${after}`, { clock });
      expect(refused).toMatchObject({ reason: 'too_many_requests', status: 429 });
    }
    expect((await visitsOf('long.example.com')).paths).toHaveLength(3);
  });

  it.each([400, 401, 403, 404, 410, 451, 500, 501])('is not %i', async (status) => {
    const { clock } = hurried();
    const host = `s${status}.example.com`;
    expect(await refusalOf(`https://${host}/flaky?fails=1&status=${status}`, { clock })).toMatchObject({ status });
    expect((await visitsOf(host)).paths).toHaveLength(1);
  });
});

describe('robots.txt', () => {
  const robots = true;

  it('keeps off what it names, and is asked once', async () => {
    await tellRobots('robots.example.com', { text: 'User-agent: *\nDisallow: /asked\n' });
    expect(await refusalOf('https://robots.example.com/asked', { robots })).toEqual({
      code: 'forbidden',
      reason: 'robots',
    });
    expect(await refusalOf('https://robots.example.com/hello.txt', { robots })).toBe('hello');
    expect((await visitsOf('robots.example.com')).paths).toEqual(['/robots.txt', '/hello.txt']);
    expect(await refusalOf('https://robots.example.com/asked')).toContain('robots.example.com');
  });

  it.each([
    ['not there', { status: 404 }, 'hello'],
    ['refused', { status: 403 }, 'hello'],
    ['without content', { status: 204 }, 'hello'],
    ['elsewhere, and allows', { status: 301, to: '/hello.txt' }, 'hello'],
    ['where nothing is fetched', { status: 302, to: 'https://10.0.0.1/robots.txt' }, 'hello'],
    ['broken there', { status: 500 }, { code: 'unavailable', reason: 'robots_unreachable' }],
    ['asked for too often', { status: 429 }, { code: 'unavailable', reason: 'robots_unreachable' }],
    ['never answered', { status: 0 }, { code: 'unavailable', reason: 'robots_unreachable' }],
    [
      'longer than is read',
      { text: 'User-agent: *\nDisallow: /hello\n', fill: 2_000_000 },
      { code: 'forbidden', reason: 'robots' },
    ],
  ])('is %s', async (what, told, outcome) => {
    const host = `${what.replaceAll(/\W+/g, '-')}.robots.example.com`;
    await tellRobots(host, told);
    expect(await refusalOf(`https://${host}/hello.txt`, { robots, times: { robots: 300 } })).toEqual(outcome);
  });

  it('is asked of each host on the way', async () => {
    await tellRobots('end.example.com', { text: 'User-agent: Carrel\nDisallow: /hello.txt' });
    const redirect = raw(
      'HTTP/1.1 302 Found\r\nLocation: https://end.example.com/hello.txt\r\n\r\n',
      'end',
      'begin.example.com',
    );
    expect(await refusalOf(redirect, { robots })).toEqual({ code: 'forbidden', reason: 'robots' });
    expect((await visitsOf('end.example.com')).paths).toEqual(['/robots.txt']);
  });
});

describe('many at once', () => {
  it('come in their order, each as a page or as a reason', async () => {
    const outcomes = await fetchAll(
      [
        'https://a.many.example.com/hello.txt',
        'https://b.many.example.com/status?is=404',
        'https://10.0.0.1/',
        'nonsense',
        'https://a.many.example.com/chunked.csv',
      ],
      SETTINGS,
      async (source, index) => `${index}: ${textOf(source)}`,
    );
    expect(outcomes.map(({ error, ...rest }) => error?.details['reason'] ?? rest)).toEqual([
      { result: '0: hello' },
      'not_there',
      'not_a_public_address',
      'not_a_url',
      { result: '4: a,b\n1,2\n' },
    ]);
  });

  it('fail one by one where they are used', async () => {
    const [one, other] = await fetchAll(
      ['https://a.use.example.com/hello.txt', 'https://b.use.example.com/asked'],
      SETTINGS,
      async (source) => {
        if (source.type === 'text/plain') throw new Error('told to nobody');
        return 'used';
      },
    );
    expect([one?.error?.code, other]).toEqual(['internal', { result: 'used' }]);
    expect(one?.error?.message).not.toContain('told');
  });

  it('are at most twenty', async () => {
    const addresses = Array.from({ length: 21 }, (_, index) => `https://n${index}.limit.example.com/`);
    await expect(fetchAll(addresses, SETTINGS, async () => 0)).rejects.toMatchObject({ code: 'limit_exceeded' });
    expect((await visitsOf('n0.limit.example.com')).paths).toEqual([]);
  });

  it('are two from one host, with a pause between them', async () => {
    const addresses = [1, 2, 3, 4, 5, 6].map((n) => `https://polite.example.com/slowly?ms=600&n=${n}`);
    const outcomes = await fetchAll(addresses, SETTINGS, async () => 0);
    expect(outcomes.filter(({ error }) => error)).toEqual([]);
    const { paths, most, gaps } = await visitsOf('polite.example.com');
    expect([paths.length, most]).toEqual([6, 2]);
    // 250 ms, as far as a timer and a line are exact.
    expect(Math.min(...gaps)).toBeGreaterThan(200);
  });

  it('are four that are held at once, until they were used', async () => {
    let [held, most] = [0, 0];
    const use = async () => {
      most = Math.max(most, ++held);
      await new Promise((done) => setTimeout(done, 300));
      held--;
    };
    const addresses = Array.from({ length: 12 }, (_, index) => `https://h${index}.held.example.com/hello.txt`);
    await fetchAll(addresses, SETTINGS, use);
    expect(most).toBe(4);
  });

  it('wait as long as a host asks', async () => {
    await tellRobots('slow.example.com', { text: 'User-agent: *\nCrawl-delay: 1\n' });
    const addresses = [1, 2, 3].map((n) => `https://slow.example.com/asked?${n}`);
    const outcomes = await fetchAll(addresses, { ...SETTINGS, robots: true }, async () => 0);
    expect(outcomes).toEqual([{ result: 0 }, { result: 0 }, { result: 0 }]);
    const { paths, gaps } = await visitsOf('slow.example.com');
    expect(paths).toHaveLength(4);
    expect(Math.min(...gaps.slice(1))).toBeGreaterThan(900);
  });

  it('that are not there in time are refused, and those that were there are kept', async () => {
    const began = performance.now();
    const addresses = [
      'https://quick.example.com/hello.txt',
      ...Array.from({ length: 19 }, (_, index) => `https://h${index}.late.example.com/never`),
    ];
    const outcomes = await fetchAll(addresses, { ...SETTINGS, times: { batch: 1000 } }, async (source) =>
      textOf(source),
    );
    expect(outcomes[0]).toEqual({ result: 'hello' });
    for (const { error } of outcomes.slice(1))
      expect(error).toMatchObject({
        code: 'unavailable',
        details: { reason: 'not_reached' },
        message: expect.stringContaining('Add it again') as string,
      });
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
