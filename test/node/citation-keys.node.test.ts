import { expect, it } from 'vitest';

import { citationKeyOf } from '../../src/research/keys.ts';

it.each([
  [['Snow, John'], '1855-01-01', undefined, '', 'snow1855'],
  [['Jane van Doe'], undefined, undefined, 'example.com', 'doe'],
  [[], '2024', 'The Library', 'example.com', 'the-library2024'],
  [[], undefined, undefined, 'www.example.com', 'example'],
  [[], undefined, undefined, 'news.bbc.co.uk', 'bbc'],
  [[], undefined, undefined, 'archive.cdc.gov', 'cdc'],
  [[], undefined, undefined, '', 'pump'],
] as const)('a source of %j, %s, %s at %s is cited by %s', (authors, published, site, host, key) => {
  expect(citationKeyOf({ authors, published, site }, 'On the Pump', host)).toBe(key);
});
