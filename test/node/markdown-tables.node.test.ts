import { expect, it } from 'vitest';

import { replaceTables, tablesIn } from '../../scripts/lib/markdown-tables.ts';

const PAGE = [
  'Text',
  '',
  '| what | n |',
  '| --- | --- |',
  '| a | 1 |',
  '',
  '| other | n |',
  '| --- | --- |',
  '',
  'End',
];

it('finds the tables of a text, and puts new ones in the place of those with the same first column', () => {
  const page = PAGE.join('\n');
  expect(tablesIn(page).map((table) => table.length)).toEqual([3, 2]);
  const log = 'stdout | a test\n| what | n |\n| --- | --- |\n| a | 2 |\n| b | 3 |\n\n ✓ passed';
  expect(replaceTables(page, tablesIn(log)).split('\n')).toEqual([
    ...PAGE.slice(0, 4),
    '| a | 2 |',
    '| b | 3 |',
    ...PAGE.slice(5),
  ]);
  expect(replaceTables(page, tablesIn(page))).toBe(page);
});
