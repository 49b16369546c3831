import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';

import { refusal, Tables } from '../support/datasets.ts';

const tables = new Tables('per_parquet');
const written = (options: Parameters<typeof parquetWriteBuffer>[0]) => new Uint8Array(parquetWriteBuffer(options));

const DAMAGES: [string, (bytes: Uint8Array) => Uint8Array][] = [
  ['cut off', (bytes: Uint8Array) => bytes.slice(0, -20)],
  ['with another beginning', (bytes: Uint8Array) => bytes.slice(20)],
  [
    'with a footer that says it is longer than the file',
    (bytes: Uint8Array) => {
      const copy = bytes.slice();
      new DataView(copy.buffer).setUint32(copy.length - 8, 0x7fffffff, true);
      return copy;
    },
  ],
  [
    'whose pages are noise',
    (bytes: Uint8Array) => bytes.map((byte, index) => (index > 4 && index < 400 ? byte ^ 0xa5 : byte)),
  ],
];

describe('Parquet', () => {
  test('of all types becomes a table', async () => {
    const bytes = written({
      columnData: [
        { name: 'Whole', data: [1, 2, null], type: 'INT32' },
        { name: 'long', data: [2n ** 60n, -1n, null], type: 'INT64' },
        { name: 'real', data: [0.5, 1e300, null], type: 'DOUBLE' },
        { name: 'flag', data: [true, false, null], type: 'BOOLEAN' },
        { name: 'text', data: ['ä', '', null], type: 'STRING' },
        { name: 'at', data: [new Date('2026-01-02T03:04:05.678Z'), new Date(0), null], type: 'TIMESTAMP' },
        { name: 'deep', data: [{ a: [1, 2] }, { a: [] }, null], type: 'JSON' },
      ],
    });
    const { columns, rows, format } = await tables.import('kinds.parquet', bytes);
    expect([rows, format]).toEqual([3, 'parquet']);
    expect(columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'Whole integer',
      'long integer',
      'real real',
      'flag boolean',
      'text text',
      'at timestamp',
      'deep json',
    ]);
    expect(await tables.rows('SELECT * FROM kinds')).toEqual([
      [1, '1152921504606846976', 0.5, 1, 'ä', '2026-01-02T03:04:05.678Z', '{"a":[1,2]}'],
      [2, -1, 1e300, 0, '', '1970-01-01T00:00:00Z', '{"a":[]}'],
      [null, null, null, null, null, null, null],
    ]);
  });

  test('of many row groups comes in steps, every row once', async () => {
    const n = Array.from({ length: 450_000 }, (_, index) => index);
    const bytes = written({
      columnData: [
        { name: 'n', data: n, type: 'INT32' },
        { name: 'word', data: n.map((each) => `word ${each % 1000}`), type: 'STRING' },
      ],
      rowGroupSize: 70_000,
    });
    const steps = await tables.run(await tables.plan('groups.parquet', bytes));
    expect(steps.length).toBeGreaterThan(3);
    expect(steps.at(-1)?.progress).toMatchObject({ phase: 'done', rows: 450_000, badRows: 0 });
    expect(await tables.rows('SELECT count(*), count(DISTINCT n), sum(n), count(DISTINCT word) FROM groups')).toEqual([
      [450_000, 450_000, (450_000 * 449_999) / 2, 1000],
    ]);
  });

  test.each(DAMAGES)('that is %s is refused, and leaves nothing', async (_what, damage) => {
    const bytes = written({
      columnData: [{ name: 'a', data: Array.from({ length: 1000 }, (_, index) => `value ${index}`), type: 'STRING' }],
    });
    expect(await refusal(tables.import('damaged.parquet', damage(bytes)))).toMatchObject({ code: 'invalid_input' });
    expect((await tables.remote.list()).map(({ name }) => name)).not.toContain('damaged');
  });
});
