import * as fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, test } from 'vitest';

import { columnsOf, tableNameOf } from '../../src/datasets/import/column-names.ts';
import { CsvScanner, INCOMPLETE } from '../../src/datasets/import/csv-scanner.ts';
import { Piece } from '../../src/datasets/import/encodings.ts';
import { JsonScanner, newPlace } from '../../src/datasets/import/json-scanner.ts';
import { KIND, kindOfField, typeOfKinds } from '../../src/datasets/import/kinds.ts';
import { parseJson, textOfValue } from '../../src/datasets/import/json-value.ts';
import { CsvRows, ElementRows, LineRows } from '../../src/datasets/import/rows.ts';
import type { Place, RowReader } from '../../src/datasets/import/rows.ts';
import { BLOCK_BYTES, BlockFile } from '../../src/datasets/engine/block-file.ts';
import { tableName } from '../../src/datasets/model.ts';
import { nearestNames } from '../../src/datasets/nearest.ts';
import { csvCell, distinct, ResultWriter } from '../../src/datasets/query-output.ts';
import { lookAt, mayDo } from '../../src/datasets/sql/policy.ts';
import { joined } from '../../src/lib/encoding.ts';
import { tokensOf } from '../../src/datasets/sql/tokens.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

/** All rows of bytes that come in pieces of the given lengths, as an import reads them. */
function rowsOf(
  reader: RowReader,
  place: Place,
  all: Uint8Array,
  lengths: readonly number[],
  cells: (piece: Piece, from: number, to: number) => unknown,
) {
  const rows: unknown[] = [];
  const faults: [number, string][] = [];
  let carry = new Uint8Array();
  let at = 0;
  for (let index = 0; at < all.length || index === 0; index++) {
    const length = Math.max(1, lengths[index % lengths.length] ?? 1);
    const held = new Uint8Array([...carry, ...all.subarray(at, at + length)]);
    at = Math.min(all.length, at + length);
    const piece = new Piece(held, 'utf-8');
    const used = reader.read(piece, place, at >= all.length, {
      row: (of, from, to) => void rows.push(cells(of, from, to)),
      fault: (_piece, _from, _to, line, fault) => void faults.push([line, fault]),
    });
    place.position += used;
    carry = held.slice(used);
  }
  expect(carry).toHaveLength(0);
  return { rows, faults };
}

function csv(text: string, lengths: readonly number[], delimiter = ',') {
  const reader = new CsvRows(delimiter);
  const { scanner } = reader;
  return rowsOf(reader, { position: 0, line: 1, skipping: false }, bytes(text), lengths, (piece) =>
    Array.from({ length: scanner.count }, (_, index) => {
      const cell = piece.decode(scanner.starts[index] ?? 0, scanner.ends[index] ?? 0);
      return scanner.doubled[index] === true ? cell?.replaceAll('""', '"') : cell;
    }),
  );
}

const lengths = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 });
const cell = fc.string({ unit: fc.constantFrom('a', '1', ',', '"', '\n', '\r\n', ' ', 'ä', '🍎', ';'), maxLength: 8 });
const table = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 6 }))
  .chain(([width, height]) =>
    fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: height, maxLength: height }),
  );
const isRow = (row: readonly string[]) => row.length > 1 || row[0] !== '';

describe('CSV', () => {
  test('of Papa Parse is read as it was, wherever it is cut into pieces', () => {
    fc.assert(
      fc.property(table, lengths, fc.constantFrom('\n', '\r\n'), fc.boolean(), (rows, cuts, newline, quotes) => {
        const text = Papa.unparse(rows, { newline, quotes });
        expect(csv(text, cuts)).toEqual({ rows: rows.filter(isRow), faults: [] });
      }),
      { numRuns: 1000 },
    );
  });

  test('without quotes is read as Papa Parse reads it', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ',', '\n', 'ä', ' '), maxLength: 60 });
    fc.assert(
      fc.property(text, lengths, (content, cuts) => {
        const { data } = Papa.parse<string[]>(content, { delimiter: ',', newline: '\n', skipEmptyLines: true });
        expect(csv(content, cuts).rows).toEqual(data.filter(isRow));
      }),
      { numRuns: 1000 },
    );
  });

  test('of whatever bytes gives the same in one piece and in many, and its rows cover it', () => {
    const anything = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', 'ä', '""'), maxLength: 60 });
    fc.assert(
      fc.property(anything, lengths, (content, cuts) => {
        expect(csv(content, cuts)).toEqual(csv(content, [1000]));
      }),
      { numRuns: 2000 },
    );
  });

  test('a row whose end is not there is not taken for one', () => {
    const scanner = new CsvScanner(',');
    for (const text of ['a,b', 'a,"b', 'a,"b"', 'a,b\r', '"'])
      expect(scanner.next(bytes(text), 0, text.length, false)).toBe(INCOMPLETE);
    expect(scanner.next(bytes('a,b\r\nc'), 0, 6, false)).toBe(5);
  });
});

describe('JSON', () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  const spaced = fc.constantFrom('', ' ', '\n', '\t\r\n ');
  const elements = (text: string, cuts: readonly number[]) =>
    rowsOf(
      new ElementRows(),
      { position: 0, line: 1, skipping: false, json: newPlace() },
      bytes(text),
      cuts,
      (piece, from, to) => parseJson(piece.decode(from, to) ?? ''),
    );

  test('an array is cut into its elements, wherever it is cut into pieces', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 6 }), spaced, lengths, (values, space, cuts) => {
        const text = `${space}[${space}${values.map((each) => JSON.stringify(each)).join(`${space},${space}`)}${space}]${space}`;
        expect(elements(text, cuts)).toEqual({ rows: parseJson(text), faults: [] });
      }),
      { numRuns: 1000 },
    );
  });

  test.each(['{', '[1', '[1,]', '[1 2', '[1]]', '[1] 2', '[,1]', '[}', '1', '"a"', '[1}'])('%s is no array', (text) => {
    for (const cuts of [[1], [100]])
      expect(() => {
        const { rows } = elements(text, cuts);
        // What is cut out may still be no JSON.
        if (rows.includes(undefined)) throw new Error('no JSON');
      }).toThrow(/no array|no JSON/);
  });

  test('strings may hold what else would count', () => {
    const scanner = new JsonScanner(newPlace());
    const text = String.raw`[{"a":"]}\",{["},2]`;
    expect(scanner.next(bytes(text), 0, text.length)).toEqual({ kind: 'element', start: 1, end: 16 });
  });

  test('lines', () => {
    const read = rowsOf(
      new LineRows(),
      { position: 0, line: 1, skipping: false },
      bytes('{"a":1}\n\n \r\n{"a":2}'),
      [3],
      (piece, from, to) => parseJson(piece.decode(from, to) ?? ''),
    );
    expect(read.rows).toEqual([{ a: 1 }, { a: 2 }]);
  });

  test('integers are exact, at any depth', () => {
    const parsed = parseJson(
      '{"a":9007199254740993,"b":{"c":[-9223372036854775808]},"d":1234567890123456.5}',
    ) as Record<string, unknown>;
    expect(parsed).toEqual({ a: 9007199254740993n, b: { c: [-9223372036854775808n] }, d: 1234567890123456.5 });
    expect(textOfValue(parsed['b'])).toBe('{"c":[-9223372036854775808]}');
  });
});

describe('types', () => {
  test.each([
    ['', 0],
    ['0', KIND.integer],
    ['-12', KIND.integer],
    ['007', KIND.text],
    ['+4930', KIND.text],
    ['1.50', KIND.real],
    ['.5', KIND.real],
    ['1e5', KIND.real],
    ['1e999', KIND.text],
    ['9007199254740991', KIND.integer],
    ['9007199254740992', KIND.long],
    ['9223372036854775807', KIND.long],
    ['9223372036854775808', KIND.text],
    ['-9223372036854775808', KIND.long],
    ['true', KIND.boolean],
    ['FALSE', KIND.boolean],
    ['yes', KIND.text],
    ['2026-02-28', KIND.date],
    ['2026-13-01', KIND.text],
    ['28/02/2026', KIND.text],
    ['2026-02-28T01:02:03.5+02:00', KIND.timestamp],
    [' 12 ', KIND.integer],
    [' 2026-02-28', KIND.text],
    [' ', KIND.text],
    ['1,5', KIND.text],
    ['NaN', KIND.text],
    ['0x10', KIND.text],
    ['1_000', KIND.text],
    ['-', KIND.text],
    ['.', KIND.text],
  ])('%j', (text, kind) => {
    expect(kindOfField(text)).toBe(kind);
  });

  test('a column has the type that fits all', () => {
    expect(typeOfKinds(0)).toBe('text');
    expect(typeOfKinds(KIND.integer | KIND.real)).toBe('real');
    expect(typeOfKinds(KIND.integer | KIND.long)).toBe('integer');
    // A real number would not be exact.
    expect(typeOfKinds(KIND.real | KIND.long)).toBe('text');
    expect(typeOfKinds(KIND.date | KIND.timestamp)).toBe('timestamp');
    expect(typeOfKinds(KIND.boolean | KIND.integer)).toBe('text');
    expect(typeOfKinds(KIND.nested | KIND.text)).toBe('text');
  });

  test('what is taken for a number is the same number', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        const kind = kindOfField(String(number));
        expect([KIND.integer, KIND.real, KIND.long, KIND.text]).toContain(kind);
        expect(kind === KIND.integer && !Number.isSafeInteger(number)).toBe(false);
      }),
    );
  });
});

describe('names', () => {
  test('of columns are names of SQL, each once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary', maxLength: 80 }), { minLength: 1, maxLength: 12 }),
        (headers) => {
          const names = columnsOf(
            headers,
            headers.map(() => 'text' as const),
          ).map(({ name }) => name);
          expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(headers.length);
          for (const name of names) {
            expect(name).toMatch(/^[\p{L}_][\p{L}\p{M}\p{N}_]*$/u);
            expect(tokensOf(name)).toEqual([{ kind: 'word', text: name }]);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('of tables are made of file names', () => {
    expect(tableNameOf('data/Flights 200k (final).csv')).toBe('flights_200k_final');
    expect(tableNameOf('Möbel.CSV')).toBe('mobel');
    expect(tableNameOf('2026.csv')).toBe('t_2026');
    expect(tableNameOf('select.csv')).toBe('t_select');
    expect(tableNameOf('日本.csv')).toBe('table_1');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (path) => {
        expect(tableName.parse(tableNameOf(path))).toBe(tableNameOf(path));
      }),
      { numRuns: 2000 },
    );
  });

  test('near ones are found', () => {
    const names = ['delay', 'distance', 'carrier', 'origin'];
    expect(nearestNames('dealy', names)).toEqual(['delay']);
    expect(nearestNames('DISTANCES', names)).toEqual(['distance']);
    expect(nearestNames('nothing_of_that', names)).toEqual([]);
  });
});

function nameOfRefusal(sql: string): string | undefined {
  try {
    lookAt(sql);
    return undefined;
  } catch (thrown) {
    return (thrown as Error).name;
  }
}

describe('SQL', () => {
  test('is cut as SQLite cuts it', () => {
    expect(
      tokensOf(`SELECT "a ""b", [c d], \`e\`, 'f;''g', x'00', 1.5e3, :p, ?2, -- ;\n/* ; */ größe; -- end`),
    ).toEqual(
      [
        ['word', 'SELECT'],
        ['quoted', 'a "b'],
        ['symbol', ','],
        ['quoted', 'c d'],
        ['symbol', ','],
        ['quoted', 'e'],
        ['symbol', ','],
        ['text', "f;'g"],
        ['symbol', ','],
        ['text', ''],
        ['symbol', ','],
        ['number', '1.5e3'],
        ['symbol', ','],
        ['parameter', ':p'],
        ['symbol', ','],
        ['parameter', '?2'],
        ['symbol', ','],
        ['word', 'größe'],
        ['symbol', ';'],
      ].map(([kind, text]) => ({ kind, text })),
    );
  });

  test('names what it selects itself', () => {
    const { own, names } = lookAt(
      'WITH a AS (SELECT 1), "b c" (x, y) AS NOT MATERIALIZED (SELECT 1, 2) SELECT z AS (q FROM a',
    );
    expect([...own]).toEqual(['a', 'b c', 'z']);
    expect(names.has('b c')).toBe(true);
  });

  const tables = new Set(['flights']);
  const own = new Set(['mine', 'sqlite_master']);
  test.each([
    [21, '', '', true],
    [20, 'flights', 'delay', true],
    [20, 'FLIGHTS', '', true],
    [20, 'json_each', 'value', true],
    [20, 'mine', '', true],
    // A column of what is selected is never asked for: it is one of a table.
    [20, 'mine', 'x', false],
    [20, 'sqlite_master', '', false],
    [20, 'sqlite_master', 'sql', false],
    [20, 'other', '', false],
    [20, 'pragma_table_info', 'name', false],
    [31, '', 'SUM', true],
    [31, '', 'load_extension', false],
    [31, '', 'randomblob', false],
    [33, '', '', false],
  ])('authorizer %i %s %s: %s', (action, first, second, allowed) => {
    expect(mayDo(action, first, second, tables, own)).toBe(allowed);
  });

  test('every other action is refused', () => {
    const all = Array.from({ length: 60 }, (_, action) => action);
    expect(all.filter((action) => mayDo(action, 'flights', 'sum', tables, own))).toEqual([20, 21, 31]);
  });

  test('whatever it is, it is read or refused in our words', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (sql) => {
        for (const text of [sql, `SELECT ${sql}`]) expect([undefined, 'CarrelError']).toContain(nameOfRefusal(text));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a result', () => {
  test('computes nothing in a spreadsheet', () => {
    for (const text of ['=1+1', '+1', '-1', '@x', '\t=1', '\r=1']) expect(csvCell(text)).toMatch(/^"?'/);
    expect([csvCell(-1), csvCell(null), csvCell(''), csvCell('a"b'), csvCell(2n ** 60n)]).toEqual([
      '-1',
      '',
      '""',
      '"a""b"',
      '1152921504606846976',
    ]);
  });

  test('in parts is the same as in one, and Papa Parse reads it', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '🍎', 'é'), maxLength: 12 });
    fc.assert(
      fc.property(fc.array(fc.array(text, { minLength: 2, maxLength: 2 }), { minLength: 1, maxLength: 5 }), (rows) => {
        const stored: Uint8Array[] = [];
        const writer = new ResultWriter(['a', 'a'], 'csv', (_part, part) => void stored.push(part));
        for (const row of rows) writer.add(row);
        writer.flush();
        const whole = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(joined(stored));
        expect(writer.bytes).toBe(joined(stored).length);
        expect(Papa.parse<string[]>(whole, { newline: '\r\n', skipEmptyLines: true }).data).toEqual([
          ['a', 'a_2'],
          ...rows,
        ]);
      }),
    );
    expect(distinct(['a', 'a', 'a_2'])).toEqual(['a', 'a_2', 'a_2_2']);
  });

  test('of long texts is cut between characters', () => {
    const stored: Uint8Array[] = [];
    const writer = new ResultWriter(['a'], 'jsonl', (_part, part) => void stored.push(part));
    writer.add([`x${'🍎'.repeat(600_000)}`]);
    writer.flush();
    for (const part of stored)
      expect(() => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(part)).not.toThrow();
    expect(JSON.parse(new TextDecoder().decode(joined(stored)))).toEqual({ a: `x${'🍎'.repeat(600_000)}` });
    expect(writer.preview[0]?.[0]).toHaveLength(300);
  });
});

describe('a file of blocks', () => {
  test('holds what was written, whatever is saved meanwhile', () => {
    const operation = fc.record({
      offset: fc.integer({ min: 0, max: 5 * BLOCK_BYTES }),
      length: fc.integer({ min: 1, max: 2 * BLOCK_BYTES }),
      byte: fc.integer({ min: 1, max: 255 }),
    });
    fc.assert(
      fc.property(fc.array(operation, { minLength: 1, maxLength: 12 }), (operations) => {
        const saved = new Map<number, Uint8Array>();
        const file = new BlockFile(
          {
            load: (number) => saved.get(number)?.slice(),
            save: (number, block) => void saved.set(number, block.slice()),
          },
          0,
          2,
        );
        const expected = new Uint8Array(8 * BLOCK_BYTES);
        let size = 0;
        for (const { offset, length, byte } of operations) {
          file.write(new Uint8Array(length).fill(byte), offset);
          expected.fill(byte, offset, offset + length);
          size = Math.max(size, offset + length);
        }
        expect(file.size).toBe(size);
        const read = new Uint8Array(size);
        expect(file.read(read, 0)).toBe(true);
        expect(read.every((byte, index) => byte === expected[index])).toBe(true);
        expect(file.read(new Uint8Array(1), size)).toBe(false);
      }),
      { numRuns: 50 },
    );
  });
});
