import { runInDurableObject } from 'cloudflare:test';
import { beforeAll, describe, expect, test } from 'vitest';

import { refusal, Tables } from '../support/datasets.ts';

const tables = new Tables('per_sql');

beforeAll(async () => {
  await tables.import('flights.csv', 'carrier,delay,note\nAA,1,=1+1\nBB,2.5,"a ""b"", c"\nCC,,@x\n');
  await tables.import('airports.csv', 'code,city\nAA,Aachen\nBB,Bonn\nragged\n');
  let numbers = 'n,word\n';
  for (let n = 0; n < 100_000; n++) numbers += `${n},word ${(n * 7919) % 100_000}\n`;
  await tables.import('numbers.csv', numbers);
});

describe('reading', () => {
  test('joins, groups, windows, common tables, bad rows', async () => {
    expect(
      await tables.rows(
        'SELECT city, sum(delay) FROM flights JOIN airports ON carrier = code GROUP BY city ORDER BY 1',
      ),
    ).toEqual([
      ['Aachen', 1],
      ['Bonn', 2.5],
    ]);
    expect(await tables.rows('WITH late AS (SELECT * FROM flights WHERE delay > 1) SELECT count(*) FROM late')).toEqual(
      [[1]],
    );
    expect(
      await tables.rows('SELECT carrier, rank() OVER (ORDER BY delay DESC) r FROM "flights" WHERE delay ORDER BY r'),
    ).toEqual([
      ['BB', 1],
      ['AA', 2],
    ]);
    expect(await tables.rows('SELECT text FROM airports_bad_rows')).toEqual([['ragged']]);
    expect(await tables.rows('VALUES (1, 2), (3, 4);')).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(
      await tables.rows(
        'SELECT median(n), percentile(n, 25), round(stddev(n), 3), sqrt(16), pow(2, 3), log(100), floor(-2.5) FROM numbers',
      ),
    ).toEqual([[49_999.5, 24_999.75, 28_867.658, 4, 8, 2, -3]]);
  });

  test('parameters by place and by name', async () => {
    expect(
      await tables.rows('SELECT carrier FROM flights WHERE delay > ? AND carrier <> ?', { parameters: [0.5, 'BB'] }),
    ).toEqual([['AA']]);
    expect(await tables.rows('SELECT carrier FROM flights WHERE delay > :least', { parameters: { least: 2 } })).toEqual(
      [['BB']],
    );
    expect(await tables.rows('SELECT ?, typeof(?), ?', { parameters: [2 ** 40, null, true] })).toEqual([
      [2 ** 40, 'null', 1],
    ]);
    for (const parameters of [[], [1, 2], { other: 1 }])
      expect(await refusal(tables.query('SELECT ?1', { parameters }))).toMatchObject({ code: 'invalid_input' });
  });

  test('the file has all rows, in CSV that computes nothing in a spreadsheet, and in JSON Lines', async () => {
    expect(await tables.file('SELECT * FROM flights')).toBe(
      'carrier,delay,note\r\nAA,1,\'=1+1\r\nBB,2.5,"a ""b"", c"\r\nCC,,\'@x\r\n',
    );
    expect(await tables.file('SELECT carrier, delay, carrier FROM flights', { format: 'jsonl' })).toBe(
      '{"carrier":"AA","delay":1,"carrier_2":"AA"}\n{"carrier":"BB","delay":2.5,"carrier_2":"BB"}\n{"carrier":"CC","delay":null,"carrier_2":"CC"}\n',
    );
    const file = await tables.file('SELECT n, word FROM numbers ORDER BY n');
    expect(file.split('\r\n')).toHaveLength(100_002);
    expect(file.endsWith('99999,word 92081\r\n')).toBe(true);
  });

  test('as many rows as are wanted, and it says that there are more', async () => {
    expect(await tables.query('SELECT n FROM numbers', { limit: 10 })).toMatchObject({ rows: 10, truncated: true });
    expect(await tables.query('SELECT n FROM numbers LIMIT 10', { limit: 10 })).toMatchObject({
      rows: 10,
      truncated: false,
    });
    expect((await tables.query('SELECT n FROM numbers')).preview).toHaveLength(50);
  });

  test('what sorts more than memory holds is put aside, and gone afterwards', async () => {
    const { rows } = await tables.query(
      `SELECT a.n, a.word || printf('%.*c', 400, 'x') AS long FROM numbers a ORDER BY long DESC, a.n`,
    );
    expect(rows).toBe(100_000);
    const left = await runInDurableObject(
      tables.stub,
      (_object, { storage }) => storage.sql.exec('SELECT (SELECT count(*) FROM spilled) AS n').one()['n'],
    );
    expect(left).toBe(0);
  });
});

const HOSTILE = [
  // Writing
  `INSERT INTO flights VALUES ('x', 1, 'y')`,
  'UPDATE flights SET delay = 0',
  'DELETE FROM flights',
  'REPLACE INTO flights VALUES (1, 2, 3)',
  `WITH a AS (SELECT 1) INSERT INTO flights SELECT 1, 2, 3`,
  'WITH a AS (SELECT 1) DELETE FROM flights',
  `WITH a AS (SELECT 1) UPDATE flights SET delay = 1`,
  'DROP TABLE flights',
  'ALTER TABLE flights RENAME TO other',
  'CREATE TABLE mine (a)',
  'CREATE TEMP TABLE mine AS SELECT * FROM flights',
  'CREATE VIEW mine AS SELECT 1',
  'CREATE TRIGGER mine AFTER INSERT ON flights BEGIN SELECT 1; END',
  'CREATE INDEX mine ON flights (delay)',
  'CREATE VIRTUAL TABLE mine USING fts5(a)',
  // Other databases, settings, transactions
  `ATTACH 'other' AS other`,
  `ATTACH 'file:1?mode=rwc' AS other`,
  'DETACH d0',
  'PRAGMA table_list',
  'PRAGMA query_only = 0',
  'VACUUM',
  `VACUUM INTO 'copy'`,
  'REINDEX',
  'ANALYZE',
  'BEGIN',
  'COMMIT',
  'SAVEPOINT a',
  'EXPLAIN SELECT * FROM flights',
  'EXPLAIN QUERY PLAN SELECT * FROM flights',
  // What is no table of the person's
  'SELECT * FROM sqlite_master',
  'SELECT * FROM d0.sqlite_schema, flights',
  'SELECT name FROM flights, main.sqlite_master',
  'SELECT * FROM sqlite_temp_master',
  'SELECT count(*) FROM d0.sqlite_master, flights',
  'WITH sqlite_master AS (SELECT 1) SELECT count(*) FROM flights, d0.sqlite_master',
  `SELECT * FROM pragma_table_info('flights')`,
  'SELECT * FROM pragma_database_list',
  'SELECT * FROM pragma_function_list',
  'SELECT * FROM flights WHERE delay IN (SELECT sql FROM d0.sqlite_master)',
  'SELECT (SELECT group_concat(sql) FROM d0.sqlite_schema) FROM flights',
  // Recursion
  'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c',
  'WITH c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c',
  'WITH c(x) AS MATERIALIZED (VALUES (1) UNION SELECT x + 1 FROM c WHERE x < 9) SELECT * FROM flights, c',
  // Functions
  `SELECT load_extension('x')`,
  'SELECT zeroblob(1000000000)',
  'SELECT randomblob(1000000000)',
  `SELECT fts5_source_id()`,
  'SELECT sqlite_version()',
  'SELECT sqlite_compileoption_get(1)',
  'SELECT last_insert_rowid(), changes(), total_changes()',
  `SELECT replicate('x', 1000000000)`,
  `SELECT padl('x', 1000000000)`,
  `SELECT jsonb('1')`,
  `SELECT unistr('x')`,
  `SELECT sqlite_log(1, 'x')`,
  'SELECT powersync_rs_version()',
  'SELECT carrier FROM flights WHERE carrier MATCH 1',
];

const ODD = [
  ['two', 'SELECT 1; SELECT 2', 'invalid_input'],
  ['one that writes behind one that reads', 'SELECT 1; DROP TABLE flights', 'invalid_input'],
  ['none', '', 'invalid_input'],
  ['a comment alone', '-- nothing', 'invalid_input'],
  ['one behind a NUL', 'SELECT 1\0; DROP TABLE flights', 'invalid_input'],
  ['5,000 parentheses', `SELECT ${'('.repeat(5000)}1${')'.repeat(5000)}`, 'too_large'],
  ['2,000 calls within each other', `SELECT ${'abs('.repeat(2000)}1${')'.repeat(2000)}`, 'too_large'],
  ['a sum of 9,000', `SELECT ${'1+'.repeat(9000)}1`, 'too_large'],
  ['3,000 signs', `SELECT ${'- '.repeat(3000)}1`, 'invalid_input'],
  ['200 unions', Array.from({ length: 200 }, () => 'SELECT 1').join(' UNION '), 'invalid_input'],
  ['30,000 characters', `SELECT '${'x'.repeat(30_000)}'`, 'too_large'],
] as const;

describe('nothing but reading tables', () => {
  test.each(HOSTILE)('%s', async (sql) => {
    const { code } = await refusal(tables.query(sql));
    expect(['forbidden', 'invalid_input', 'not_found']).toContain(code);
  });

  test('and nothing of that was done', async () => {
    expect(await tables.rows('SELECT count(*), total(delay) FROM flights')).toEqual([[3, 3.5]]);
    expect((await tables.remote.list()).map(({ name }) => name)).toEqual(['airports', 'flights', 'numbers']);
  });

  test.each(ODD)('of statements: %s', async (_what, sql, code) => {
    expect(await refusal(tables.query(sql))).toMatchObject({ code });
    // Whatever it did to its own engine, the next has another.
    expect(await tables.rows('SELECT 1')).toEqual([[1]]);
  });

  test('but semicolons in texts and comments are none', async () => {
    expect(await tables.rows(`SELECT ';' /* ; */ ; -- ;`)).toEqual([[';']]);
    expect(await tables.rows(`SELECT ${'1+'.repeat(900)}1`)).toEqual([[901]]);
  });
});

describe('what is not there is named, with what is near', () => {
  test.each([
    ['SELECT * FROM flihgts', 'not_found', { table: 'flihgts', nearest: 'flights' }],
    ['SELECT * FROM nothing_like_it_at_all', 'not_found', { table: 'nothing_like_it_at_all' }],
    ['SELECT dealy FROM flights', 'invalid_input', { column: 'dealy', nearest: 'delay' }],
    ['SELECT f.carier FROM flights f', 'invalid_input', { column: 'carier', nearest: 'carrier' }],
    ['SELECT "delai" FROM flights', 'invalid_input', { column: 'delai', nearest: 'delay' }],
    ['SELECT a.delay FROM flights', 'invalid_input', { column: 'delay', nearest: 'delay' }],
    ['SELECT carrier FROM flights a, flights b', 'invalid_input', { column: 'carrier' }],
    ['SELECT nosuch(1)', 'invalid_input', { function: 'nosuch' }],
    ['SELECT abs(1, 2)', 'invalid_input', { function: 'abs' }],
    ['SELECT\n carrier FRM flights x', 'invalid_input', { line: 2 }],
    ['SELECT * FROM flights WHERE sum(delay) > 1', 'invalid_input', {}],
  ])('%s', async (sql, code, details) => {
    const refused = await refusal(tables.query(sql));
    expect(refused).toMatchObject({ code, details });
    expect(refused.message).not.toMatch(/sqlite3|near "|flihgts|dealy|string literal/);
  });
});

describe('a query that takes too much', () => {
  test('memory ends with a refusal', async () => {
    for (const sql of [
      `SELECT length(group_concat(word || printf('%.*c', 500, 'x'))) FROM numbers`,
      `SELECT replace(printf('%.*c', 200000, 'a'), 'a', 'aaaaaaaaaa')`,
      `SELECT instr(printf('%.*c', 200000, 'a'), printf('%.*c', 100000, 'a') || 'b')`,
      `SELECT count(*) FROM numbers WHERE word LIKE '${'%a'.repeat(100)}'`,
    ])
      expect(await refusal(tables.query(sql)), sql).toMatchObject({ code: 'too_large' });
    expect(await tables.rows(`SELECT median(length(word)) FROM numbers`)).toHaveLength(1);
  });

  test('time is ended from outside, and the object goes on', async () => {
    const job = tables.nextJob();
    const runaway = refusal(
      tables.remote.query(job, {
        sql: 'SELECT count(*) FROM numbers a, numbers b, numbers c',
        parameters: [],
        format: 'csv',
        limit: 10,
      }),
    );
    const began = Date.now();
    // What does not need the engine is answered meanwhile.
    await scheduler.wait(100);
    expect(await tables.remote.list()).toHaveLength(3);
    expect(Date.now() - began).toBeLessThan(1500);
    await tables.remote.stop(job);
    expect(await runaway).toMatchObject({ code: 'conflict' });
    expect(await tables.rows('SELECT count(*) FROM flights')).toEqual([[3]]);
  });

  test('time ends by itself', { timeout: 60_000 }, async () => {
    for (const sql of [
      'SELECT count(*) FROM numbers a, numbers b, numbers c',
      `SELECT count(*) FROM numbers a, numbers b WHERE a.word || b.word LIKE '%9%8%7%6%5%4%3%2%1%0'`,
    ]) {
      const began = Date.now();
      expect(await refusal(tables.query(sql))).toMatchObject({ code: 'too_large', details: { seconds: 20 } });
      expect(Date.now() - began).toBeLessThan(24_000);
    }
  });

  test('a query of a job is run once, however often it is asked for', async () => {
    const job = tables.nextJob();
    const plan = { sql: 'SELECT random() AS r', parameters: [], format: 'csv', limit: 1 } as const;
    const first = await tables.remote.query(job, plan);
    expect(await tables.remote.query(job, plan)).toEqual(first);
    await tables.remote.discardResult(job);
    expect(await tables.remote.resultPart(job, 0)).toBeUndefined();
  });
});

test('a wiped object has nothing left', async () => {
  const gone = new Tables('per_gone');
  await gone.import('a.csv', 'a\n1\n');
  await gone.remote.wipe();
  expect(await gone.remote.list()).toEqual([]);
  expect(await refusal(gone.query('SELECT * FROM a'))).toMatchObject({ code: 'not_found' });
});
