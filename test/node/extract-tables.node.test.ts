import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';

import { typeOfText } from '../../src/files/extract/tables/cell-types.ts';
import { CsvReader, sniffDelimiter } from '../../src/files/extract/tables/csv.ts';
import { describeTable } from '../../src/files/extract/tables/describe-table.ts';
import type { TableOptions } from '../../src/files/extract/tables/describe-table.ts';
import { sketchJson } from '../../src/files/extract/tables/json-sketch.ts';
import { joined, utf8 } from '../../src/lib/encoding.ts';
import { utf16le } from '../fixtures/files/bytes.ts';

/** A stream of pieces of the given size. */
function streamOf(bytes: Uint8Array, size = 1 << 16): ReadableStream<Uint8Array> & { readonly taken: () => number } {
  let taken = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (taken >= bytes.length) controller.close();
      else controller.enqueue(bytes.subarray(taken, taken + size));
      taken += size;
    },
  });
  return Object.assign(stream, { taken: () => taken });
}

async function described(data: string | Uint8Array, type: string, options?: TableOptions, size?: number) {
  return describeTable(streamOf(typeof data === 'string' ? utf8(data) : data, size), type, options);
}

/** Rows as a reader gives them that gets the text in pieces. */
function rowsOf(text: string, delimiter: string, pieces: readonly number[] = []): string[][] {
  const rows: string[][] = [];
  const reader = new CsvReader(delimiter, 100, ({ cells }) => rows.push([...cells]));
  let from = 0;
  for (const size of pieces) {
    reader.write(text.slice(from, from + size));
    from += size;
  }
  reader.write(text.slice(from));
  reader.end();
  return rows;
}

const cell = fc.string({ unit: fc.constantFrom('a', '1', ' ', '"', ',', ';', '\n', '\r', 'é', '😀') });
const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 5 }), { minLength: 1, maxLength: 8 });

describe('CSV', () => {
  it('has columns with types, and rows', async () => {
    const csv =
      'id,name,price,born,ok,mixed,none\r\n1,"Doe, ""J""",1.50,2020-01-31,true,x,\r\n2,"two\nlines",3,2021/2/3 10:00,FALSE,7,\r\n\r\n3,short\r\n';
    expect(await described(csv, 'text/csv; charset=utf-8')).toEqual({
      format: 'csv',
      columns: [
        { name: 'id', type: 'integer', empty: 0 },
        { name: 'name', type: 'string', empty: 0 },
        { name: 'price', type: 'number', empty: 1 },
        { name: 'born', type: 'date', empty: 1 },
        { name: 'ok', type: 'boolean', empty: 1 },
        { name: 'mixed', type: 'mixed', empty: 1 },
        { name: 'none', type: 'empty', empty: 3 },
      ],
      rows: 3,
      more: false,
      head: [
        ['1', 'Doe, "J"', '1.50', '2020-01-31', 'true', 'x', ''],
        ['2', 'two\nlines', '3', '2021/2/3 10:00', 'FALSE', '7', ''],
        ['3', 'short', '', '', '', '', ''],
      ],
      badRows: 1,
      delimiter: ',',
    });
  });

  it.each([
    ['a mark', '\uFEFFa,b\n1,2\n'],
    ['no break at its end', 'a,b\n1,2'],
    ['carriage returns', 'a,b\r1,2\r'],
    ['quotes everywhere', '"a","b"\n"1","2"\n'],
    ['semicolons', 'a;b\n1;2\n'],
    ['tabs', 'a\tb\n1\t2\n'],
    ['bars', 'a|b\n1|2\n'],
    ['its delimiter in its first line', 'sep=~\r\na~b\r\n1~2\r\n'],
    ['UTF-16', joined([Uint8Array.of(0xff, 0xfe), utf16le('a,b\n1,2\n')])],
  ])('is read with %s, in pieces of any size', async (_, data) => {
    for (const size of [1, 2, 3, 1000]) {
      const summary = await described(data, 'text/csv', {}, size);
      expect(summary).toMatchObject({
        columns: [{ name: 'a' }, { name: 'b', type: 'integer' }],
        rows: 1,
        badRows: 0,
        head: [['1', '2']],
      });
    }
  });

  it('has columns without names where its first row has only data', async () => {
    expect(await described('1,2020-01-01\n2,2020-01-02\n', 'text/csv')).toMatchObject({
      columns: [
        { name: 'column 1', type: 'integer' },
        { name: 'column 2', type: 'date' },
      ],
      rows: 2,
    });
    expect(await described('a,,2019\n1,2,3\n', 'text/csv')).toMatchObject({
      columns: [{ name: 'a' }, { name: 'column 2' }, { name: '2019' }],
    });
  });

  it('counts rows that are wrong', async () => {
    expect(await described('a,b\n1\n1,2,3\n"1"x,2\n1,2\n1,"2', 'text/csv')).toMatchObject({ rows: 5, badRows: 4 });
  });

  it('is nothing where nothing is', async () => {
    for (const data of ['', '\n\n', '\uFEFF']) expect(await described(data, 'text/csv')).toBeUndefined();
    expect(await described('a,b\n', 'text/csv')).toMatchObject({
      rows: 0,
      head: [],
      columns: [{ type: 'empty' }, { type: 'empty' }],
    });
  });

  it('shows as many rows as one likes, with long cells cut', async () => {
    const csv = `a,b\n${`${'x'.repeat(5000)},y\n`.repeat(20)}`;
    const summary = await described(csv, 'text/csv', { head: 3 });
    expect(summary?.head).toEqual(Array.from({ length: 3 }, () => [`${'x'.repeat(199)}…`, 'y']));
  });

  it('is read so far and no further', async () => {
    const csv = `a,b\n${'1,2\n'.repeat(1_000_000)}`;
    const stream = streamOf(utf8(csv), 10_000);
    const summary = await describeTable(stream, 'text/csv', { limits: { bytes: 100_002 } });
    // The row in which the limit lies does not count.
    expect(summary).toMatchObject({ rows: 24_999, more: true, badRows: 0 });
    expect(stream.taken()).toBeLessThan(200_000);
    expect(stream.locked).toBe(true);
    expect(await described('a,b\n1,2\n', 'text/csv', { limits: { bytes: 8 } })).toMatchObject({ rows: 1, more: false });
  });

  it('ends with its time, also where nothing comes', async () => {
    const silent = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(utf8('a,b\n1,2\n')),
    });
    expect(await describeTable(silent, 'text/csv', { limits: { milliseconds: 50 } })).toMatchObject({
      rows: 1,
      more: true,
    });
  });

  it('passes on that its stream broke off', async () => {
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error('broken')),
    });
    await expect(describeTable(broken, 'text/csv')).rejects.toThrow('broken');
  });

  it('needs no memory for a quote that nobody closed, nor for a million columns', async () => {
    expect(await described(`a,b\n1,"${'x,y\n'.repeat(500_000)}`, 'text/csv')).toMatchObject({ rows: 1, badRows: 1 });
    const wide = await described(`${'a,'.repeat(1_000_000)}\n${'1,'.repeat(1_000_000)}\n`, 'text/csv');
    expect([wide?.columns.length, wide?.rows, wide?.badRows]).toEqual([1000, 1, 0]);
  });

  it('reads back what was written, in whatever pieces it comes', () => {
    fc.assert(
      fc.property(table, fc.constantFrom(',', ';'), fc.array(fc.nat(5)), (rows, delimiter, pieces) => {
        const text = rows
          .map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(delimiter))
          .join('\r\n');
        expect(rowsOf(text, delimiter, pieces)).toEqual(rows);
      }),
      { numRuns: 1000 },
    );
  });

  it('reads what papaparse reads, as papaparse reads it', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '1', ',', '\n', '"a"', '"', '""') });
    fc.assert(
      fc.property(text, fc.array(fc.nat(4)), (csv, pieces) => {
        const { data, errors } = Papa.parse<string[]>(csv, { delimiter: ',', newline: '\n', skipEmptyLines: true });
        // What to make of wrong quotes is anybody's guess.
        fc.pre(errors.length === 0 && !/[^,\n"]"|"[^,\n"]/.test(csv));
        // It takes `""` alone for an empty line.
        expect(rowsOf(csv, ',', pieces).filter((row) => row.join() !== '')).toEqual(
          data.filter((row) => row.join() !== ''),
        );
      }),
      { numRuns: 3000 },
    );
  });

  it('finds the delimiter of what has more than one column', () => {
    const value = fc.string({ unit: fc.constantFrom('a', '1', ' '), minLength: 1 });
    const rows = fc
      .integer({ min: 2, max: 5 })
      .chain((width) =>
        fc.array(fc.array(value, { minLength: width, maxLength: width }), { minLength: 2, maxLength: 20 }),
      );
    fc.assert(
      fc.property(rows, fc.constantFrom(',', ';', '\t', '|'), (all, delimiter) => {
        expect(sniffDelimiter(all.map((row) => `${row.join(delimiter)}\n`).join(''))).toBe(delimiter);
      }),
    );
    expect(sniffDelimiter('name;price\na;1,50\nb;2,75\n')).toBe(';');
    expect(sniffDelimiter('one column\n')).toBe(',');
  });

  it.each([
    ['', 'empty'],
    ['  ', 'empty'],
    ['12', 'integer'],
    [' -3 ', 'integer'],
    ['+5', 'integer'],
    ['007', 'string'],
    ['0', 'integer'],
    ['1.5', 'number'],
    ['.5', 'number'],
    ['1e5', 'number'],
    ['00.5', 'string'],
    ['1,5', 'string'],
    ['True', 'boolean'],
    ['yes', 'string'],
    ['NaN', 'string'],
    ['2020-02-29', 'date'],
    ['2020-2-9', 'date'],
    ['2020-13-01', 'string'],
    ['2020-01-01T10:20:30.123Z', 'date'],
    ['2020-01-01 10:20 +02:00', 'date'],
    ['2020/01-01', 'string'],
    ['1'.repeat(41), 'string'],
  ])('takes %j for %s', (text, type) => {
    expect(typeOfText(text)).toBe(type);
  });
});

describe('TSV', () => {
  it('has tabs, and nothing else, between its cells', async () => {
    expect(await described('a,b\tc\n1,2\t3\n', 'text/tab-separated-values')).toMatchObject({
      format: 'tsv',
      delimiter: '\t',
      columns: [{ name: 'a,b' }, { name: 'c' }],
    });
  });
});

describe('JSON', () => {
  it('is a table where it is a list of objects', async () => {
    const json = JSON.stringify([
      { id: 1, name: 'a', when: '2020-01-01', tags: ['x'], at: { lat: 1.5 } },
      { id: 2.5, name: null, tags: [], extra: true },
      7,
    ]);
    expect(await described(json, 'application/json')).toEqual({
      format: 'json',
      columns: [
        { name: 'id', type: 'number', empty: 1 },
        { name: 'name', type: 'string', empty: 2 },
        { name: 'when', type: 'date', empty: 2 },
        { name: 'tags', type: 'nested', empty: 1 },
        { name: 'at', type: 'nested', empty: 2 },
        { name: 'extra', type: 'boolean', empty: 2 },
        { name: 'value', type: 'integer', empty: 2 },
      ],
      rows: 3,
      more: false,
      head: [
        [1, 'a', '2020-01-01', '["x"]', '{"lat":1.5}', null, null],
        [2.5, null, null, '[]', null, true, null],
        [null, null, null, null, null, null, 7],
      ],
      badRows: 1,
      schema:
        '(integer | { id: number, name: null | string, when?: date, tags: string[], at?: { lat: number }, extra?: boolean })[]',
    });
  });

  it.each([
    ['{"a":1,"b":"x"}', { columns: [{ name: 'a' }, { name: 'b' }], rows: 1, schema: '{ a: integer, b: string }' }],
    [
      '[[1,"a"],[2,"b"]]',
      {
        columns: [
          { name: 'column 1', type: 'integer' },
          { name: 'column 2', type: 'string' },
        ],
        rows: 2,
        schema: '(integer | string)[][]',
      },
    ],
    ['[1,2,3]', { columns: [{ name: 'value', type: 'integer' }], rows: 3, schema: 'integer[]' }],
    ['"text"', { columns: [{ name: 'value', type: 'string' }], rows: 1, schema: 'string' }],
    ['null', { columns: [{ name: 'value', type: 'empty' }], rows: 1, schema: 'null' }],
    ['[]', { columns: [], rows: 0, head: [], schema: '[]' }],
    ['{}', { columns: [], rows: 1, schema: '{}' }],
  ])('is described where it is %j', async (json, expected) => {
    expect(await described(json, 'application/json')).toMatchObject(expected);
    expect(await described(json, 'application/geo+json', {}, 1)).toMatchObject(expected);
  });

  it('is nothing where it is malformed, too large, or too much of it nested', async () => {
    for (const json of [
      '',
      '{',
      '[1,]',
      'hello',
      '['.repeat(4_000_000),
      '[]'.repeat(2_000_000),
      `[${'{},'.repeat(1_000_000)}1]`,
    ])
      expect(await described(json, 'application/json'), json.slice(0, 20)).toBeUndefined();
    expect(await described(`["${'x'.repeat(8_000_000)}"]`, 'application/json')).toBeUndefined();
    expect(await described(`["${'['.repeat(1_000_000)}\\"]"]`, 'application/json')).toMatchObject({ rows: 1 });
  });

  it('has a sketch that is small, whatever it holds', () => {
    expect(sketchJson({ a: { b: { c: { d: { e: 1 } } } }, 'not a name': [null, 1, 'x', ''], list: [[1], [[2]]] })).toBe(
      '{ a: { b: { c: { d: … } } }, "not a name": (integer | null | string)[], list: (integer | integer[])[][] }',
    );
    const wide = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`key${index}`, index]));
    expect(sketchJson(wide)).toMatch(/key49: integer, … 950 more \}$/);
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        expect(sketchJson(value).length).toBeLessThan(20_000);
      }),
    );
  });
});

describe('JSON Lines', () => {
  it('is a table', async () => {
    const lines = '{"a":1,"b":"x"}\r\n\n{"a":2}\nno json\n[1]\n{"a":3';
    expect(await described(lines, 'application/x-ndjson', {}, 3)).toEqual({
      format: 'jsonl',
      columns: [
        { name: 'a', type: 'integer', empty: 1 },
        { name: 'b', type: 'string', empty: 2 },
        { name: 'column 1', type: 'integer', empty: 2 },
      ],
      rows: 5,
      more: false,
      head: [
        [1, 'x', null],
        [2, null, null],
        [null, null, 1],
      ],
      badRows: 3,
      schema: '({ a: integer, b?: string } | integer[])[]',
    });
  });

  it('is read so far and no further, and passes over endless lines', async () => {
    const lines = `{"a":"${'x'.repeat(3_000_000)}"}\n${'{"a":1}\n'.repeat(100_000)}`;
    expect(await described(lines, 'application/jsonl')).toMatchObject({
      rows: 100_001,
      badRows: 1,
      more: false,
      columns: [{ type: 'integer' }],
    });
    // The line in which the limit lies does not count.
    expect(await described(lines, 'application/jsonl', { limits: { bytes: 3_000_030 } })).toMatchObject({
      rows: 3,
      badRows: 1,
      more: true,
    });
    expect(await described('\n', 'application/jsonl')).toBeUndefined();
  });

  it('is nothing of another type', async () => {
    expect(await described('a,b', 'text/plain')).toBeUndefined();
  });
});

describe('real tables', () => {
  const dataset = (name: string) =>
    readFileSync(fileURLToPath(new URL(`../data/${name}`, import.meta.resolve('vega-datasets')).href));

  it.each([
    // Some codes of airports are numbers.
    [
      'airports.csv',
      'text/csv',
      3376,
      [
        'iata mixed',
        'name string',
        'city string',
        'state string',
        'country string',
        'latitude number',
        'longitude number',
      ],
    ],
    ['stocks.csv', 'text/csv', 560, ['symbol string', 'date string', 'price number']],
    [
      'seattle-weather.csv',
      'text/csv',
      1461,
      ['date date', 'precipitation number', 'temp_max number', 'temp_min number', 'wind number', 'weather string'],
    ],
    ['unemployment.tsv', 'text/tab-separated-values', 3218, ['id integer', 'rate number']],
    ['barley.json', 'application/json', 120, ['yield number', 'variety string', 'year integer', 'site string']],
  ] as const)('such as %s are described', async (name, type, rows, columns) => {
    const summary = await described(new Uint8Array(dataset(name)), type);
    expect(summary).toMatchObject({ rows, badRows: 0, more: false });
    expect(summary?.columns.map((column) => `${column.name} ${column.type}`)).toEqual(columns);
    expect(summary?.head).toHaveLength(10);
  });

  it('are read row by row as papaparse reads them', () => {
    for (const name of ['airports.csv', 'github.csv', 'la-riots.csv', 'weather.csv']) {
      const text = new TextDecoder().decode(dataset(name));
      const { data } = Papa.parse<string[]>(text, { skipEmptyLines: true, delimiter: ',' });
      expect(rowsOf(text, ','), name).toEqual(data);
    }
  });
});
