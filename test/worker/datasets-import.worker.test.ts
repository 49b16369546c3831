import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, test } from 'vitest';

import { KEPT_MILLISECONDS } from '../../src/datasets/model.ts';
import { refusal, Tables } from '../support/datasets.ts';

let tables: Tables;
let made = 0;
beforeEach(() => {
  tables = new Tables(`per_import${(made += 1)}`);
});

const bad = async (table: string) => tables.rows(`SELECT line, reason, text FROM ${table}_bad_rows ORDER BY line`);
const utf16 = (text: string, littleEndian: boolean) => {
  const bytes = new Uint8Array(2 * text.length + 2);
  const view = new DataView(bytes.buffer);
  for (const [index, unit] of [
    0xfeff,
    ...Array.from({ length: text.length }, (_, at) => text.charCodeAt(at)),
  ].entries())
    view.setUint16(2 * index, unit, littleEndian);
  return bytes;
};
const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

describe('a file becomes a table', () => {
  test('with types that fit all values', async () => {
    const { columns, rows } = await tables.import(
      'kinds.csv',
      [
        'id,zip,share,long,huge,flag,day,at,mixed,none,spaced',
        '1,01234,0.5,9007199254740993,99999999999999999999,true,2026-01-02,2026-01-02T03:04:05Z,1,, 7 ',
        '-2,99999,3,-9223372036854775808,1,FALSE,2026-12-31,2026-01-02 03:04,x,,8',
        '3,,1e3,,,,,,,,',
      ].join('\n'),
    );
    expect(rows).toBe(3);
    expect(columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'id integer',
      'zip text',
      'share real',
      'long integer',
      'huge text',
      'flag boolean',
      'day date',
      'at timestamp',
      'mixed text',
      'none text',
      'spaced integer',
    ]);
    expect(await tables.rows('SELECT * FROM kinds')).toEqual([
      [
        1,
        '01234',
        0.5,
        '9007199254740993',
        '99999999999999999999',
        1,
        '2026-01-02',
        '2026-01-02T03:04:05Z',
        '1',
        null,
        7,
      ],
      [-2, '99999', 3, '-9223372036854775808', '1', 0, '2026-12-31', '2026-01-02 03:04', 'x', null, 8],
      [3, null, 1000, null, null, null, null, null, null, null, null],
    ]);
    // As numbers, to the last digit.
    expect(await tables.rows('SELECT long + 1, typeof(share) FROM kinds LIMIT 1')).toEqual([
      ['9007199254740994', 'real'],
    ]);
  });

  test('also where a later value is of another kind than all before it', async () => {
    let csv = 'n\n';
    for (let row = 0; row < 400_000; row++) csv += `${row}\n`;
    const { columns } = await tables.import('late.csv', `${csv}007\n`);
    expect(columns).toEqual([{ name: 'n', type: 'text' }]);
    expect(
      await tables.rows("SELECT count(*), min(n), max(length(n)) FROM late WHERE n = '007' OR n = '399999'"),
    ).toEqual([[2, '007', 6]]);
  });

  test('with headers that SQL takes as names, each once', async () => {
    const { columns } = await tables.import(
      'heads.csv',
      'Order ID,order,ORDER,2019,%,Größe (cm),a"b,\nx,y,z,1,2,3,4,5',
    );
    expect(columns.map(({ name }) => name)).toEqual([
      'Order_ID',
      'order_',
      'ORDER__2',
      '_2019',
      'column_5',
      'Größe_cm',
      'a_b',
      'column_8',
    ]);
    expect(columns[0]?.header).toBe('Order ID');
    expect(await tables.rows('SELECT Order_ID, order_, Größe_cm FROM heads')).toEqual([['x', 'y', 3]]);
  });

  test('of fields in quotes, with delimiters, line breaks and quotes within them', async () => {
    await tables.import('quoted.csv', 'a,b\r\n"x, ""y""\r\nz",1\r\n"",2\r\n5" pipe,3\r\n');
    expect(await tables.rows('SELECT a, b FROM quoted')).toEqual([
      ['x, "y"\r\nz', 1],
      [null, 2],
      ['5" pipe', 3],
    ]);
  });

  test('with the delimiter that the file has or names', async () => {
    await tables.import('semi.csv', 'a;b\n1,5;2\n');
    expect(await tables.rows('SELECT a, b FROM semi')).toEqual([['1,5', 2]]);
    await tables.import('named.csv', 'sep=|\na|b,c\n1|2\n');
    expect(await tables.rows('SELECT b_c FROM named')).toEqual([[2]]);
    await tables.import('tabs.tsv', 'a\tb\n1\t2\n');
    expect(await tables.rows('SELECT b FROM tabs')).toEqual([[2]]);
  });

  test('without a header where no cell of the first row is a name', async () => {
    const { columns, rows } = await tables.import('plain.csv', '1,2\n3,4\n');
    expect([columns.map(({ name }) => name), rows]).toEqual([['column_1', 'column_2'], 2]);
    expect(
      (await tables.import('named2.csv', '1,2\n3,4\n', { header: 'yes' })).columns.map(({ name }) => name),
    ).toEqual(['_1', '_2']);
    expect((await tables.import('none.csv', 'a,b\nc,d\n', { header: 'no' })).rows).toBe(2);
  });

  test('of JSON whose objects have different keys', async () => {
    const { columns } = await tables.import(
      'objects.json',
      '[{"a": 1, "b": "x"}, {"b": "y", "big": 9007199254740993, "deep": {"c": [1, 12345678901234567]}}, {"a": 2.5, "flag": true, "b": null}]',
    );
    expect(columns).toEqual([
      { name: 'a', type: 'real' },
      { name: 'b', type: 'text' },
      { name: 'big', type: 'integer' },
      { name: 'deep', type: 'json' },
      { name: 'flag', type: 'boolean' },
    ]);
    expect(await tables.rows('SELECT * FROM objects')).toEqual([
      [1, 'x', null, null, null],
      [null, 'y', '9007199254740993', '{"c":[1,12345678901234567]}', null],
      [2.5, null, null, null, 1],
    ]);
    expect(await tables.rows("SELECT deep ->> '$.c[0]' FROM objects WHERE deep IS NOT NULL")).toEqual([[1]]);
  });

  test('of JSON Lines, also when the file is called .json', async () => {
    await tables.import('lines.json', '{"a": 1}\n\n{"a": 2}\r\n{"a": 3}');
    expect(await tables.rows('SELECT sum(a), count(*) FROM lines')).toEqual([[6, 3]]);
  });
});

describe('encodings', () => {
  test('UTF-8 with a mark, UTF-16 of both kinds', async () => {
    await tables.import('mark.csv', '\uFEFFname,n\nÄpfel,1\n');
    await tables.import('little.csv', utf16('name,n\nÄpfel 🍎,1\n"日本,語",2\n', true));
    await tables.import('big.csv', utf16('name,n\nÄpfel,1\n', false));
    expect(await tables.rows('SELECT name FROM mark')).toEqual([['Äpfel']]);
    expect(await tables.rows('SELECT name, n FROM little')).toEqual([
      ['Äpfel 🍎', 1],
      ['日本,語', 2],
    ]);
    expect(await tables.rows('SELECT name FROM big')).toEqual([['Äpfel']]);
  });

  test('Windows-1252 is found out, others are named', async () => {
    await tables.import('west.csv', latin1('stra\xdfe,n\nM\xfcller \x80,1\n'));
    expect(await tables.rows('SELECT straße FROM west')).toEqual([['Müller €']]);
    await tables.import('east.csv', latin1('a,n\n\xe6\xb6,1\n'), { encoding: 'iso-8859-2' });
    expect(await tables.rows('SELECT a FROM east')).toEqual([['ćś']]);
    expect(await refusal(tables.import('sjis.csv', 'a,b\n1,2\n', { encoding: 'shift_jis' }))).toMatchObject({
      code: 'unsupported',
    });
  });

  test('where two are mixed, the rows that are not UTF-8 are kept aside', async () => {
    const bytes = new Uint8Array([
      ...new TextEncoder().encode('name,n\nÄpfel,1\n'),
      ...latin1('Caf\xe9,2\n'),
      ...latin1('plain,3\n'),
    ]);
    expect(await tables.import('mixed.csv', bytes)).toMatchObject({ rows: 2, badRows: 1 });
    expect(await bad('mixed')).toEqual([[3, 'encoding', 'Caf\uFFFD,2']]);
  });

  test('binary is no text', async () => {
    expect(await tables.import('nul.csv', 'a,b\n1\0,2\n3,4\n')).toMatchObject({ rows: 1, badRows: 1 });
    expect(await bad('nul')).toEqual([[2, 'encoding', '1\uFFFD,2']]);
  });
});

describe('bad rows are kept aside and counted', () => {
  test('ragged ones, and quotes that do not match', async () => {
    expect(await tables.import('ragged.csv', 'a,b\n1,2\n3\n4,5,6\n"x"y,7\n8,9\n')).toMatchObject({
      rows: 2,
      badRows: 3,
    });
    expect(await bad('ragged')).toEqual([
      [3, 'fields', '3'],
      [4, 'fields', '4,5,6'],
      [5, 'quotes', '"x"y,7'],
    ]);
  });

  test('a quote that nobody closes takes one line with it', async () => {
    expect(await tables.import('open.csv', 'a,b\n1,2\n"x,3\n4,5\n6,7\n')).toMatchObject({ rows: 3, badRows: 1 });
    expect(await bad('open')).toEqual([[3, 'quotes', '"x,3']]);
  });

  test('of JSON, what is no object or no JSON', async () => {
    expect(await tables.import('odd.json', '[{"a":1}, 5, {"a": x}, [1], "},{", {"a":2}]')).toMatchObject({
      rows: 2,
      badRows: 4,
    });
    expect(await bad('odd')).toEqual([
      [2, 'not_an_object', '5'],
      [3, 'not_json', '{"a": x}'],
      [4, 'not_an_object', '[1]'],
      [5, 'not_an_object', '"},{"'],
    ]);
    expect(await tables.import('oddlines.jsonl', '{"a":1}\nnonsense\n{"a":2}\n')).toMatchObject({
      rows: 2,
      badRows: 1,
    });
  });

  test('only some thousands are kept, all are counted', async () => {
    const table = await tables.import('many.csv', `a,b\n1,2\n${'x\n'.repeat(12_000)}`);
    expect(table).toMatchObject({ rows: 1, badRows: 12_000 });
    expect(await tables.rows('SELECT count(*) FROM many_bad_rows')).toEqual([[10_000]]);
  });

  test('a line without an end is not held', async () => {
    const plain = 'y'.repeat(40_000_000);
    expect(await tables.import('endless.csv', `a,b\n1,2\n${plain},3\n4,5\n`)).toMatchObject({ rows: 2, badRows: 1 });
    expect(await tables.rows('SELECT line, reason, length(text) FROM endless_bad_rows')).toEqual([
      [3, 'too_long', 500],
    ]);
    expect(await tables.import('endless2.csv', `a,b\n"${plain}\n4,5\n`)).toMatchObject({ rows: 1, badRows: 1 });
    expect(await tables.import('endless3.json', `[{"a":1},{"a":"${plain}"},{"a":3}]`)).toMatchObject({
      rows: 2,
      badRows: 1,
    });
    expect(await tables.import('endless4.jsonl', `{"a":1}\n{"a":"${plain}"}\n{"a":3}`)).toMatchObject({
      rows: 2,
      badRows: 1,
    });
  });
});

describe('what is refused', () => {
  test.each([
    ['empty.csv', ''],
    ['blank.csv', '\n\n'],
    ['broken.json', '{"a": [1, 2'],
    ['cut.json', '[{"a":1},{"a":2}'],
    ['trailing.json', '[{"a":1}] x'],
    ['scalars.json', '[1, 2]'],
    ['none.json', '[]'],
    ['no.parquet', 'PAR1 and nothing of it PAR1'],
  ])('%s', async (path, content) => {
    expect(await refusal(tables.import(path, content))).toMatchObject({ code: 'invalid_input' });
    expect(await tables.remote.list()).toEqual([]);
  });

  test('more columns than a table can have', async () => {
    const wide = Array.from({ length: 2001 }, (_, index) => `c${index}`).join(',');
    expect(await refusal(tables.import('wide.csv', `${wide}\n`))).toMatchObject({
      code: 'too_large',
      details: { limit: 2000 },
    });
    const keys = Array.from({ length: 2001 }, (_, index) => `{"k${index}":1}`).join(',');
    expect(await refusal(tables.import('wide.json', `[${keys}]`))).toMatchObject({ code: 'too_large' });
    const most = Array.from({ length: 2000 }, (_, index) => `c${index}`).join(',');
    expect((await tables.import('most.csv', `${most}\n${most.replaceAll('c', '')}\n`)).columns).toHaveLength(2000);
  });

  test('a name that is taken, unless it is to be replaced', async () => {
    await tables.import('same.csv', 'a\nold\n');
    expect(await refusal(tables.import('same.csv', 'a\nnew\n'))).toMatchObject({ code: 'conflict' });
    const plan = await tables.plan('same.csv', `a\n${'new\n'.repeat(2000)}`, { replace: true });
    // Until the new one is complete, the old one is there.
    await tables.run(plan, async () => expect(await tables.rows('SELECT a FROM same')).toEqual([['old']]));
    expect(await tables.rows('SELECT count(*), min(a) FROM same')).toEqual([[2000, 'new']]);
  });
});

describe('an import that breaks off', () => {
  const content = () => {
    let csv = 'n,text\n';
    for (let row = 0; row < 400_000; row++) csv += `${row},"some text, ${row} of it that makes the file long, ä"\n`;
    return csv;
  };

  test('goes on where it was, and every row is there once', async () => {
    const plan = await tables.plan('long.csv', content());
    expect(plan.size).toBeGreaterThan(20_000_000);
    const steps = await tables.run(plan);
    expect(steps.length).toBeGreaterThan(3);
    const whole = 'SELECT count(*), count(DISTINCT n), sum(n), min(length(text)) FROM';
    const expected = [
      [400_000, 400_000, (400_000 * 399_999) / 2, 'some text, 0 of it that makes the file long, ä'.length],
    ];
    expect(await tables.rows(`${whole} long`)).toEqual(expected);

    // Each step is asked for twice, as when an answer is lost, and half of them in a new object.
    const job = tables.nextJob();
    const again = { ...plan, table: 'again' };
    let step = await tables.remote.beginImport(job, again);
    expect(await tables.remote.beginImport(job, again)).toEqual(step);
    for (let number = 0; step.table === undefined; number++) {
      step = await tables.remote.stepImport(job, number);
      expect(await tables.remote.stepImport(job, number)).toEqual(step);
    }
    expect(await tables.rows(`${whole} again`)).toEqual(expected);
    expect(await refusal(tables.remote.stepImport(tables.nextJob(), 0))).toMatchObject({ code: 'not_found' });
  });

  test('leaves nothing that can be seen, and nothing at all once it is given up', async () => {
    const plan = await tables.plan('half.csv', content());
    const job = tables.nextJob();
    await tables.remote.beginImport(job, plan);
    for (let number = 0; number < 2; number++) await tables.remote.stepImport(job, number);
    const blocks = async () =>
      runInDurableObject(
        tables.stub,
        (_object, { storage }) => storage.sql.exec('SELECT count(*) AS n FROM blocks').one()['n'],
      );
    expect(await blocks()).toBeGreaterThan(0);
    expect(await tables.remote.list()).toEqual([]);
    expect(await refusal(tables.query('SELECT * FROM half'))).toMatchObject({ code: 'not_found' });
    // Nobody said that it is over: a week later it is swept.
    await runInDurableObject(tables.stub, (_object, { storage }) => {
      storage.sql.exec('UPDATE imports SET touched_at = touched_at - ?', KEPT_MILLISECONDS + 1);
    });
    expect(await runDurableObjectAlarm(tables.stub)).toBe(true);
    expect(await blocks()).toBe(0);
    await tables.import('other.csv', 'a\n1\n');
    await tables.remote.remove('other');
    expect(await blocks()).toBe(0);
  });
});
