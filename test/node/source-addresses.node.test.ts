import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { normalise } from '../../src/research/addresses/normalise.ts';
import type { SourceAddress } from '../../src/research/addresses/normalise.ts';
import { MAX_ADDRESS } from '../../src/web/public-address.ts';

const read = (address: string): SourceAddress => {
  const found = normalise(address);
  if (found.fault !== undefined) throw new Error(`${found.fault}: ${address}`);
  return found;
};
const key = (address: string) => read(address).key;

describe('the same source', () => {
  it.each([
    [
      'host and scheme',
      ['https://example.com/a', 'HTTPS://EXAMPLE.com:443/a', 'http://example.com:80/a', 'https://example.com./a'],
    ],
    ['whitespace around it', ['https://example.com/a', ' https://example.com/a\n']],
    [
      'fragments',
      [
        'https://example.com/a',
        'https://example.com/a#b',
        'https://example.com/a#:~:text=x',
        'https://example.com/a#!/b',
      ],
    ],
    [
      'the end of the path',
      [
        'https://example.com/a',
        'https://example.com/a/',
        'https://example.com/a/index.html',
        'https://example.com/a/index.htm',
        'https://example.com/a/index.php',
        'https://example.com/a//',
      ],
    ],
    [
      'no path',
      ['https://example.com', 'https://example.com/', 'https://example.com/?', 'https://www.example.com/index.html#x'],
    ],
    [
      'tracking',
      [
        'https://example.com/a?b=1',
        'https://example.com/a?b=1&utm_source=x&utm_medium=y&UTM_Campaign=z',
        'https://example.com/a?fbclid=x&b=1&gclid=y&mc_cid=z&mc_eid=z&msclkid=1&igshid=2&_hsenc=3&yclid=4&srsltid=5',
        'https://example.com/a?b=1&utm%5Fid=1',
      ],
    ],
    [
      'the order of parameters',
      ['https://example.com/?a=1&b=2', 'https://example.com/?b=2&a=1', 'https://example.com/?&b=2&&a=1&'],
    ],
    [
      'percent-encoding',
      [
        'https://example.com/%7Ea/%c3%a4?q=%2b',
        'https://example.com/~a/ä?%71=%2B',
        'https://example.com/%7ea/%C3%A4?q=%2B',
      ],
    ],
    ['paths with dots', ['https://example.com/a/b', 'https://example.com/x/../a/./b', 'https://example.com/a/%2e/b']],
    ['punycode', ['https://bücher.example/', 'https://xn--bcher-kva.example/', 'https://BÜCHER.example/']],
    [
      'the forms of a site',
      [
        'https://example.com/a',
        'https://www.example.com/a',
        'https://m.example.com/a',
        'https://mobile.example.com/a',
        'https://amp.example.com/a',
      ],
    ],
    ['Wikipedia on a telephone', ['https://en.wikipedia.org/wiki/Desk', 'https://en.m.wikipedia.org/wiki/Desk']],
    [
      'AMP',
      [
        'https://www.example.com/2024/story',
        'https://www.example.com/2024/story/amp',
        'https://www.example.com/2024/story/amp/',
        'https://www.example.com/2024/story?amp',
        'https://www.example.com/2024/story?amp=1',
        'https://www.example.com/2024/story?outputType=amp',
        'https://www.example.com/2024/story.amp',
        'https://www.google.com/amp/s/www.example.com/2024/story/amp/',
        'https://www.google.de/amp/www.example.com/2024/story',
        'https://www-example-com.cdn.ampproject.org/c/s/www.example.com/2024/story?amp=1',
        'https://www-example-com.cdn.ampproject.org/v/s/www.example.com/2024/story',
        'https://cdn.ampproject.org/c/s/amp.example.com/2024/story#x',
      ],
    ],
    [
      'DOIs',
      [
        'doi:10.1000/ABC.(1)',
        'DOI: 10.1000/abc.(1)',
        '10.1000/abc.(1)',
        'urn:doi:10.1000/abc.(1)',
        'info:doi/10.1000/abc.(1)',
        'doi:https://doi.org/10.1000/abc.(1)',
        'https://doi.org/10.1000/abc.(1)',
        'http://dx.doi.org/10.1000/Abc.(1)',
        'https://www.doi.org/10.1000/abc.(1)?utm_source=x#y',
        'https://doi.org/doi:10.1000/abc.%281%29',
      ],
    ],
    [
      'DOIs with marks',
      [
        'doi:10.1002/(SICI)1097-4571(199806)49:8<693::AID-ASI4>3.0.CO;2-O',
        'https://doi.org/10.1002/(SICI)1097-4571(199806)49:8%3C693::AID-ASI4%3E3.0.CO;2-O',
      ],
    ],
    [
      'DOIs with a question',
      ['doi:10.1000/a?b#c', 'https://doi.org/10.1000/a%3Fb%23c', 'https://doi.org/10.1000%2Fa%3Fb%23c'],
    ],
    [
      'arXiv',
      [
        'arXiv:2401.00001',
        'arxiv: 2401.00001v2',
        'https://arxiv.org/abs/2401.00001',
        'https://arxiv.org/abs/2401.00001v1?context=cs',
        'http://www.arxiv.org/pdf/2401.00001v3.pdf',
        'https://arxiv.org/html/2401.00001v1/',
        'https://export.arxiv.org/abs/2401.00001',
        'https://ar5iv.labs.arxiv.org/html/2401.00001',
        'https://doi.org/10.48550/arXiv.2401.00001',
        'doi:10.48550/arXiv.2401.00001',
      ],
    ],
    [
      'arXiv before 2007',
      [
        'arXiv:math/0309136',
        'arXiv:math.GT/0309136v1',
        'https://arxiv.org/abs/math/0309136',
        'https://arxiv.org/pdf/MATH.GT/0309136',
        'https://arxiv.org/abs/math%2F0309136',
      ],
    ],
  ])('%s', (_what, addresses) => {
    expect(new Set(addresses.map((address) => key(address))).size).toBe(1);
  });
});

describe('another source', () => {
  it.each([
    ['another path', 'https://example.com/a', 'https://example.com/b'],
    ['a path in another case', 'https://example.com/a', 'https://example.com/A'],
    ['another parameter', 'https://example.com/?id=1', 'https://example.com/?id=2'],
    ['a parameter that only begins like one', 'https://example.com/', 'https://example.com/?utm=1'],
    [
      'a parameter that tracks somewhere and means something elsewhere',
      'https://example.com/',
      'https://example.com/?ref=main',
    ],
    ['a list in another order', 'https://example.com/?a=1&a=2', 'https://example.com/?a=2&a=1'],
    ['a query in Latin-1', 'https://example.com/?q=%E4', 'https://example.com/?q=%F6'],
    ['a plus and a space', 'https://example.com/?q=a%2Bb', 'https://example.com/?q=a+b'],
    ['a slash that is encoded', 'https://example.com/a%2Fb', 'https://example.com/a/b'],
    ['another port', 'https://example.com/', 'https://example.com:8443/'],
    ['another scheme on a port of its own', 'http://example.com:8443/', 'https://example.com:8443/'],
    ['a name that only looks like a form', 'https://m.me/x', 'https://me/x'],
    ['a neighbour', 'https://amp.github.io/x', 'https://github.io/x'],
    ['a letter m before an address', 'https://news.m.example.com/', 'https://news.example.com/'],
    ['a section about amplifiers', 'https://example.com/amp', 'https://example.com/'],
    ['a section below /amp', 'https://example.com/amp/x', 'https://example.com/x'],
    ['a program with a query', 'https://example.com/index.php?id=1', 'https://example.com/index.php?id=2'],
    ['a file of Google’s', 'https://www.google.com/amp/x', 'https://x/'],
    ['another paper', 'arXiv:2401.00001', 'arXiv:2401.00002'],
    ['another DOI', 'doi:10.1000/a', 'doi:10.1000/b'],
    ['a page of the resolver itself', 'https://www.doi.org/the-identifier/', 'https://www.doi.org/the-community/'],
    ['what is no paper of arXiv', 'https://arxiv.org/list/cs/new', 'https://arxiv.org/list/cs/recent'],
  ])('%s', (_what, one, other) => {
    const keys = [normalise(one), normalise(other)].map((found) => ('key' in found ? found.key : found.fault));
    expect(keys[0]).not.toBe(keys[1]);
  });
});

describe('what is asked for', () => {
  it.each([
    ['https://m.example.com/a/?b=2&a=1&utm_source=x#c', 'https://m.example.com/a/?b=2&a=1&utm_source=x'],
    ['http://127.0.0.1:8080/x', 'http://127.0.0.1:8080/x'],
    ['https://www.google.com/amp/s/example.com/x', 'https://example.com/x'],
    ['doi:10.1000/ABC', 'https://doi.org/10.1000/abc'],
    ['arXiv:2401.00001', 'https://arxiv.org/pdf/2401.00001'],
    ['arXiv:2401.00001v2', 'https://arxiv.org/pdf/2401.00001v2'],
    ['https://arxiv.org/abs/2401.00001v2', 'https://arxiv.org/abs/2401.00001v2'],
  ])('%s', (address, fetch) => {
    expect(read(address).fetch).toBe(fetch);
  });

  it('goes with the identifiers that are known', () => {
    expect(read('doi:10.1000/ABC')).toEqual({
      key: 'https://doi.org/10.1000/abc',
      fetch: 'https://doi.org/10.1000/abc',
      doi: '10.1000/abc',
    });
    expect(read('https://doi.org/10.48550/arXiv.2401.00001')).toMatchObject({
      doi: '10.48550/arxiv.2401.00001',
      arxiv: '2401.00001',
    });
    expect(read('https://arxiv.org/abs/math.GT/0309136v1')).toMatchObject({
      arxiv: 'math/0309136',
      key: 'https://arxiv.org/abs/math/0309136',
    });
  });
});

describe('what is no address', () => {
  it.each([
    ['', 'not_a_url'],
    ['example.com/a', 'not_a_url'],
    ['https://', 'not_a_url'],
    ['https://exa mple.com/', 'not_a_url'],
    ['ftp://example.com/', 'not_https'],
    ['file:///etc/passwd', 'not_https'],
    ['data:text/html,x', 'not_https'],
    ['javascript:alert(1)', 'not_https'],
    ['https://user@example.com/', 'credentials'],
    ['https://:secret@example.com/', 'credentials'],
    ['doi:', 'not_a_doi'],
    ['doi:10.1000', 'not_a_doi'],
    ['doi:10.1000/a b', 'not_a_doi'],
    ['doi:10.1000/../../x', 'not_a_doi'],
    ['doi:10.1000/\uD800', 'not_a_doi'],
    ['arXiv:', 'not_an_arxiv_id'],
    ['arXiv:2401.001', 'not_an_arxiv_id'],
    ['arXiv:2401.00001v0', 'not_an_arxiv_id'],
  ])('%s', (address, fault) => {
    expect(normalise(address)).toEqual({ fault });
  });

  it.each(['a', 'ä'])('is too long an address', (letter) => {
    expect(normalise(`https://example.com/${letter.repeat(MAX_ADDRESS / 2)}`).fault).toBe(
      letter === 'a' ? undefined : 'too_long',
    );
    expect(normalise(`https://example.com/${letter.repeat(MAX_ADDRESS)}`)).toEqual({ fault: 'too_long' });
  });
});

describe('any text', () => {
  const pieces = fc.constantFrom(
    ...'https:// http:// doi: arXiv: doi.org/ dx.doi.org/ arxiv.org/abs/ arxiv.org/pdf/ 10.1000/ 2401.00001 v2 .pdf www. m. amp. mobile. example.com en.m.wikipedia.org'.split(
      ' ',
    ),
    ...'www.google.com/amp/s/ cdn.ampproject.org/c/s/ / // . .. %2e %2F %25 % %4 %41 %%36%35 ? & = # ; : @ a A ä ı ſ K İ 😀 ~ + \' " ( ) < > { } | \\ ^ ` [ ] * $ , !'.split(
      ' ',
    ),
    ...'/amp .amp .amp.html ?amp=1 &amp /index.html index.php utm_source=x utm%5Fid fbclid 443 :80 :8443 127.0.0.1 [::1] 0x7f.1'.split(
      ' ',
    ),
    ' ',
    '\t',
    '\n',
    '\0',
    '\uD800',
    '\u202E',
    '\u00AD',
    '\u3002',
  );
  const texts = fc.oneof(
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
    { weight: 1, arbitrary: fc.webUrl({ withQueryParameters: true, withFragments: true }) },
    { weight: 2, arbitrary: fc.array(pieces, { maxLength: 12 }).map((all) => all.join('')) },
    { weight: 4, arbitrary: fc.array(pieces, { maxLength: 12 }).map((all) => `https://${all.join('')}`) },
    { weight: 2, arbitrary: fc.array(pieces, { maxLength: 12 }).map((all) => `https://example.com/${all.join('')}`) },
    { weight: 1, arbitrary: fc.array(pieces, { maxLength: 6 }).map((all) => `doi:10.1000/${all.join('')}`) },
  );

  it('gives a fault, or a key that is its own key and is asked for as itself', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const found = normalise(text);
        if (found.fault !== undefined) return;
        expect(normalise(found.key)).toMatchObject({ key: found.key });
        expect(normalise(found.fetch)).toMatchObject({ key: found.key, fetch: found.fetch });
        for (const address of [found.key, found.fetch])
          expect(new URL(address)).toMatchObject({ href: address, username: '', password: '', hash: '' });
      }),
      { numRuns: 20_000 },
    );
  });

  it('has one key, whatever tracks in it', () => {
    const parameter = fc
      .tuple(fc.constantFrom('id', 'page', 'q', 'b'), fc.stringMatching(/^[a-z0-9]{0,5}$/))
      .map((pair) => pair.join('='));
    const tracking = fc
      .tuple(fc.constantFrom('utm_source', 'UTM_ID', 'fbclid', 'gclid', 'mc_cid'), fc.stringMatching(/^[a-z0-9]{0,5}$/))
      .map((pair) => pair.join('='));
    fc.assert(
      fc.property(
        fc.uniqueArray(parameter, { selector: (pair) => pair.split('=')[0] }),
        fc.array(tracking),
        fc.infiniteStream(fc.nat()),
        (kept, added, order) => {
          const mixed = [...kept, ...added]
            .map((pair) => ({ pair, at: order.next().value as number }))
            .toSorted((a, b) => a.at - b.at);
          const base = 'https://example.com/x';
          expect(key(`${base}?${mixed.map(({ pair }) => pair).join('&')}`)).toBe(key(`${base}?${kept.join('&')}`));
        },
      ),
    );
  });

  it('takes no longer for being long', () => {
    const began = performance.now();
    for (const piece of ['/amp', '.amp', 'www.', '/', '%', '?', '&', 'a=1&', 'm.', '/index.html', '/s/'])
      for (const start of [
        'https://example.com/',
        'https://',
        'https://www.google.com/amp/s/',
        'doi:10.1000/',
        'arXiv:',
      ])
        normalise((start + piece.repeat(MAX_ADDRESS)).slice(0, MAX_ADDRESS));
    expect(performance.now() - began).toBeLessThan(2000);
  });
});
