import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { addressFault } from '../../src/web/public-address.ts';
import type { AddressRules } from '../../src/web/public-address.ts';

const DEPLOYED: AddressRules = { origin: 'https://carrel.example.com', loopback: false };
const AT_HOME: AddressRules = { origin: 'http://localhost:8787', loopback: true };

const fault = (address: string, rules = DEPLOYED) => addressFault(URL.parse(address), rules);

/**
 * What is no public address, from the registries of IANA (iana.org/assignments/iana-ipv4-special-registry and
 * …/iana-ipv6-special-registry), and multicast (RFC 5771, RFC 4291). Written down here, and not taken from the
 * library that the check uses.
 */
const SPECIAL_V4 = `0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
  192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4`
  .split(/\s+/)
  .map((block): [number, number] => {
    const [address = '', bits] = block.split('/');
    return [address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0), Number(bits)];
  });

const SPECIAL_V6 = `::/8 100::/8 200::/7 400::/6 800::/5 1000::/4 4000::/2 8000::/1 2001::/23 2001:db8::/32 2002::/16
  3fff::/20 64:ff9b::/96 64:ff9b:1::/48 ::ffff:0:0/96 fc00::/7 fe80::/10 fec0::/10 ff00::/8 5f00::/16 2620:4f:8000::/48`
  .split(/\s+/)
  .map((block): [bigint, number] => {
    const [address = '', bits] = block.split('/');
    return [toNumber(address), Number(bits)];
  });

function toNumber(address: string): bigint {
  const [before = '', after = ''] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const [first, last] = [groups(before), groups(after)];
  const all = address.includes('::')
    ? [...first, ...Array<string>(8 - first.length - last.length).fill('0'), ...last]
    : first;
  return all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

const within = (address: number, [base, bits]: [number, number]) =>
  Math.floor(address / 2 ** (32 - bits)) === Math.floor(base / 2 ** (32 - bits));
const octets = (address: number) => [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256);
const groupsOf = (address: bigint) =>
  Array.from({ length: 8 }, (_, index) => ((address >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));

/** Every way in which a host of a URL may spell an IPv4 address (url.spec.whatwg.org, "IPv4 parser"). */
function spellings(address: number): string[] {
  const [a = 0, b = 0, c = 0, d = 0] = octets(address);
  const parts = [[a, b, c, d], [a, b, c * 256 + d], [a, (b * 256 + c) * 256 + d], [address]];
  const bases = [
    (part: number) => String(part),
    (part: number) => `0x${part.toString(16)}`,
    (part: number) => `0X000${part.toString(16).toUpperCase()}`,
    (part: number) => `0${part.toString(8)}`,
    (part: number) => `00000${part.toString(8)}`,
  ];
  const plain = parts.flatMap((each) => bases.map((base) => each.map(base).join('.')));
  return [
    ...plain,
    ...plain.map((text) => `${text}.`),
    ...plain.map((text) => text.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)))),
    ...plain.map((text) => text.replaceAll('.', '。')),
    ...plain.map((text) => text.replaceAll(/\d/g, (digit) => `%3${digit}`)),
  ];
}

/** Addresses that carry this IPv4 address, which may lead to it. */
function carriers(address: number): string[] {
  const dotted = octets(address).join('.');
  const [high, low] = [Math.floor(address / 65_536).toString(16), (address % 65_536).toString(16)];
  return [
    `[::ffff:${dotted}]`,
    `[::FFFF:${high}:${low}]`,
    `[0:0:0:0:0:ffff:${high}:${low}]`,
    `[::${dotted}]`,
    `[::ffff:0:${dotted}]`,
    `[64:ff9b::${dotted}]`,
    `[64:ff9b:1::${dotted}]`,
    `[2002:${high}:${low}::1]`,
    `[2001:0:${high}:${low}::]`,
  ];
}

const aSpecialV4 = fc
  .tuple(fc.constantFrom(...SPECIAL_V4), fc.nat({ max: 0xffff_ffff }))
  .map(([[base, bits], random]) => base + (random % 2 ** (32 - bits)));
const aSpecialV6 = fc
  .tuple(fc.constantFrom(...SPECIAL_V6), fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }))
  .map(([[base, bits], random]) => base | (random & (2n ** BigInt(128 - bits) - 1n)));

describe('an address that is fetched', () => {
  it.each([
    'https://example.com/a?b=c#d',
    'https://EXAMPLE.com:443',
    'https://xn--bcher-kva.example.net/',
    'https://bücher.example.net/',
    'https://10.example.net.co/',
    'https://example.com./',
    'https://8.8.8.8/',
    'https://[2606:4700::1111]/',
    'https://@example.com/',
  ])('%s', (address) => {
    expect(fault(address)).toBeUndefined();
  });

  it('is any public one of IPv4, however it is spelt', () => {
    const aPublicV4 = fc
      .nat({ max: 0xffff_ffff })
      .filter((address) => !SPECIAL_V4.some((block) => within(address, block)))
      // Anycast of AS112 and AMT: global in the registry, and nobody's web site.
      .filter((address) => !/^192\.(?:31\.196|175\.48|52\.193)\./.test(octets(address).join('.')));
    fc.assert(
      fc.property(aPublicV4, (address) => {
        for (const host of spellings(address)) expect(fault(`https://${host}/`), host).toBeUndefined();
      }),
    );
  });
});

describe('an address that is not fetched', () => {
  it.each([
    ['', 'not_a_url'],
    ['example.com/x', 'not_a_url'],
    ['https://', 'not_a_url'],
    ['https://exa mple.com/', 'not_a_url'],
    ['https://256.256.256.256/', 'not_a_url'],
    ['http://example.com/', 'not_https'],
    ['ftp://example.com/', 'not_https'],
    ['file:///etc/passwd', 'not_https'],
    ['data:text/plain,hello', 'not_https'],
    ['blob:https://example.com/1', 'not_https'],
    ['javascript:alert(1)', 'not_https'],
    ['http://127.0.0.1:8787/', 'not_https'],
    ['https://user@example.com/', 'credentials'],
    ['https://:secret@example.com/', 'credentials'],
    ['https://example.com%40127.0.0.1/', 'not_a_url'],
    ['https://example.com:8443/', 'port'],
    ['https://example.com:80/', 'port'],
    ['https://example.com:22/', 'port'],
    ['https://localhost/', 'not_a_public_host'],
    ['https://LOCALHOST./', 'not_a_public_host'],
    ['https://a.localhost/', 'not_a_public_host'],
    ['https://ｌｏｃａｌｈｏｓｔ/', 'not_a_public_host'],
    ['https://printer.local/', 'not_a_public_host'],
    ['https://metadata.google.internal/', 'not_a_public_host'],
    ['https://metadata.google.internal./', 'not_a_public_host'],
    ['https://intranet/', 'not_a_public_host'],
    ['https://com./', 'not_a_public_host'],
    ['https://example.com../', 'not_a_public_host'],
    ['https://router.home.arpa/', 'not_a_public_host'],
    ['https://1.0.0.127.in-addr.arpa/', 'not_a_public_host'],
    ['https://abc.onion/', 'not_a_public_host'],
    ['https://127.0.0.1.nip.io/', 'not_a_public_host'],
    ['https://10-0-0-1.sslip.io./', 'not_a_public_host'],
    ['https://localtest.me/', 'not_a_public_host'],
    ['https://127.0.0.1/', 'not_a_public_address'],
    ['https://127.1/', 'not_a_public_address'],
    ['https://2130706433/', 'not_a_public_address'],
    ['https://0/', 'not_a_public_address'],
    ['https://169.254.169.254/latest/meta-data/', 'not_a_public_address'],
    ['https://0xa9fea9fe/', 'not_a_public_address'],
    ['https://255.255.255.255/', 'not_a_public_address'],
    ['https://[::]/', 'not_a_public_address'],
    ['https://[::1]/', 'not_a_public_address'],
    ['https://[fd00:ec2::254]/', 'not_a_public_address'],
    ['https://[fe80::1]/', 'not_a_public_address'],
    ['https://[::ffff:8.8.8.8]/', 'not_a_public_address'],
    ['https://carrel.example.com/files', 'this_deployment'],
    ['https://CARREL.example.com./files', 'this_deployment'],
  ])('%s', (address, because) => {
    expect(fault(address)).toBe(because);
  });

  it('has more characters than a server has to take', () => {
    const path = (length: number) => `https://example.com/${'a'.repeat(length - 'https://example.com/'.length)}`;
    expect(fault(path(8000))).toBeUndefined();
    expect(fault(path(8001))).toBe('too_long');
  });

  it('is none of IPv4 with a purpose of its own, however it is spelt and whatever carries it', () => {
    fc.assert(
      fc.property(aSpecialV4, (address) => {
        for (const host of [...spellings(address), ...carriers(address)])
          expect(fault(`https://${host}/`), host).toBe('not_a_public_address');
      }),
    );
  });

  it('is none of IPv6 with a purpose of its own, or that was never given out', () => {
    fc.assert(
      fc.property(aSpecialV6, (address) => {
        const groups = groupsOf(address);
        for (const host of [groups.join(':'), groups.map((group) => group.padStart(4, '0').toUpperCase()).join(':')])
          expect(fault(`https://[${host}]/`), host).toBe('not_a_public_address');
      }),
      { numRuns: 1000 },
    );
  });

  it('is whatever anybody writes, unless it is https, without a name, at 443 and a host with a dot', () => {
    const pieces = fc.constantFrom(
      ...'https:// http:// // / @ : . [ ] ::1 127.0.0.1 localhost a.example.net %00 %2e \\ # ? 443 80 ０ 。 x'.split(
        ' ',
      ),
      ' ',
      '\t',
      '\n',
      '\u202E',
      '\u00AD',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webUrl(),
          fc.array(pieces).map((all) => `https://${all.join('')}`),
        ),
        (text) => {
          const url = URL.parse(text);
          if (addressFault(url, DEPLOYED) !== undefined) return;
          expect(url).toMatchObject({ protocol: 'https:', username: '', password: '', port: '' });
          expect(url?.hostname).toMatch(/\.[^.]|^\[2/);
          expect(url?.hostname).not.toMatch(/^127\.\d+\.\d+\.\d+$|(?:^|\.)localhost\.?$/);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('on one’s own machine, where it is allowed', () => {
  it.each(['http://127.0.0.1:9999/x', 'http://localhost:1/', 'http://[::1]:9999/', 'http://127.1:9999/'])(
    '%s is fetched',
    (address) => {
      expect(fault(address, AT_HOME)).toBeUndefined();
      expect(fault(address, { ...AT_HOME, loopback: false })).toBe('not_https');
    },
  );

  it.each([
    ['http://localhost:8787/files', 'this_deployment'],
    ['http://127.0.0.1:8787/', 'this_deployment'],
    ['http://[::1]:8787/', 'this_deployment'],
    ['http://user@127.0.0.1:9999/', 'credentials'],
    ['http://10.0.0.1/', 'not_https'],
    ['http://example.com/', 'not_https'],
    ['http://a.localhost:9999/', 'not_https'],
    ['https://127.0.0.1:9999/', 'port'],
    ['https://127.0.0.1/', 'not_a_public_address'],
    ['https://localhost/', 'this_deployment'],
  ])('%s is not', (address, because) => {
    expect(fault(address, AT_HOME)).toBe(because);
  });
});
