import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Client } from '@modelcontextprotocol/client';
import { beforeAll, describe, expect, it } from 'vitest';

import { call, connectWithToken } from '../../scripts/client/mcp.ts';
import { put } from '../../scripts/client/transfer.ts';
import { watchMemory } from '../../scripts/lib/memory.ts';
import { useDeployment } from './support/deployment.ts';
import { signUp } from './support/people.ts';
import type { Person } from './support/people.ts';

/** What jobs and their tools do with tables, in the real bundle and through the real engine of jobs. */
const deployment = useDeployment({ JOB_STALL_SECONDS: '5' });

const DATA = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '..', 'data');
const MILLION = 1_000_000;

interface Flight {
  readonly delay: number;
  readonly distance: number;
  readonly time: number;
}

interface Job {
  readonly id: string;
  readonly status: string;
  readonly error?: { readonly code: string };
}

let ada: Person;
let client: Client;

beforeAll(async () => {
  ada = await signUp(deployment.mcpUrl, 'ada@example.com');
  client = await connectWithToken(deployment.mcpUrl, ada.token);
});

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += 65_536) yield bytes.subarray(from, from + 65_536);
}

async function upload(path: string, bytes: Uint8Array): Promise<void> {
  const input = { path, size: bytes.length };
  const { upload: to } = await call<{ upload: { url: string } }>(client, 'file_upload', input);
  expect(await put(to.url, bytes.length, pieces(bytes))).toMatchObject({ status: 201 });
}

const start = async (definition: string, input: object): Promise<string> =>
  (await call<{ job: Job }>(client, 'job_start', { definition, input })).job.id;

async function ended(job: string): Promise<Job> {
  for (;;) {
    const { job: now } = await call<{ job: Job }>(client, 'job_get', { job, wait: 40 });
    if (!['queued', 'running'].includes(now.status)) return now;
  }
}

async function run<Result>(definition: string, input: object): Promise<Result & { readonly seconds: number }> {
  const began = performance.now();
  const job = await start(definition, input);
  const how = await ended(job);
  expect(how, JSON.stringify(how.error)).toMatchObject({ status: 'completed' });
  const seconds = (performance.now() - began) / 1000;
  const { result } = await call<{ result: Result }>(client, 'job_result', { job });
  return { ...result, seconds };
}

/** All rows of a query, from the file that it made. */
async function rows(sql: string): Promise<unknown[]> {
  const { file } = await run<{ file: { id: string } }>('dataset_query', { sql, format: 'jsonl' });
  const { download } = await call<{ download: { url: string } }>(client, 'file_link', { file: file.id });
  const text = await (await fetch(download.url)).text();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}

const perSecond = (count: number, seconds: number) => `${Math.round(count / seconds).toLocaleString('en')} rows/s`;

const GROUPED = `SELECT delay / 60 AS hours, count(*) AS flights, sum(delay) AS delay, avg(distance) AS distance, max(time) AS latest,
  sum(time) AS times FROM TABLE_NAME GROUP BY hours ORDER BY hours`;

describe('the numbers are those of SQLite', () => {
  const json = readFileSync(join(DATA, 'flights-200k.json'));
  const flights = JSON.parse(json.toString()) as Flight[];
  const csv = `delay,distance,time\n${flights.map((each) => `${each.delay},${each.distance},${each.time}`).join('\n')}\n`;
  let expected: unknown[];

  beforeAll(() => {
    const database = new DatabaseSync(':memory:');
    database.exec('CREATE TABLE flights (delay INTEGER, distance INTEGER, time REAL)');
    const insert = database.prepare('INSERT INTO flights VALUES (?, ?, ?)');
    database.exec('BEGIN');
    for (const { delay, distance, time } of flights) insert.run(delay, distance, time);
    database.exec('COMMIT');
    expected = database
      .prepare(GROUPED.replace('TABLE_NAME', 'flights'))
      .all()
      .map((row) => ({ ...row }));
  });

  it.each([
    ['json', json],
    ['csv', new TextEncoder().encode(csv)],
  ])('of flights-200k as %s', { timeout: 120_000 }, async (format, bytes) => {
    await upload(`flights.${format}`, bytes);
    const table = `flights_${format}`;
    const imported = await run<{ rows: number; bad_rows: number; columns: unknown }>('dataset_import', {
      file: `flights.${format}`,
      table,
    });
    expect(imported).toMatchObject({
      rows: flights.length,
      bad_rows: 0,
      columns: [
        { name: 'delay', type: 'integer' },
        { name: 'distance', type: 'integer' },
        { name: 'time', type: 'real' },
      ],
    });
    console.log(
      `${format}: ${imported.rows} rows in ${imported.seconds.toFixed(1)} s, ${perSecond(imported.rows, imported.seconds)}`,
    );
    expect(expected.length).toBeGreaterThan(10);
    expect(await rows(GROUPED.replace('TABLE_NAME', table))).toEqual(expected);
  });
});

/** A file of so many rows, with something of everything in it. */
function manyRows(count: number): Uint8Array {
  const lines = ['number,name,share,day,note'];
  for (let row = 0; row < count; row++)
    lines.push(
      `${row},name ${row % 1000},${row / 8},2026-01-${String((row % 28) + 1).padStart(2, '0')},"row ${row}, which has a comma"`,
    );
  return new TextEncoder().encode(lines.join('\n'));
}

describe('a million rows', () => {
  it.runIf(process.platform !== 'win32')(
    'come in without the memory growing with the file',
    { timeout: 300_000 },
    async () => {
      // The heap of a fresh server grows, whatever it does, until its garbage is first collected.
      const [few, many] = [manyRows(MILLION / 4), manyRows(MILLION)];
      await upload('few.csv', few);
      await upload('many.csv', many);
      const small = await watchMemory(deployment.pid, () => run('dataset_import', { file: 'few.csv' }));
      const large = await watchMemory(deployment.pid, () =>
        run<{ rows: number; seconds: number }>('dataset_import', { file: 'many.csv' }),
      );
      expect(large.result.rows).toBe(MILLION);
      const grew = [small, large].map(({ peak, before }) => Math.round((peak - before) / 1e6));
      console.log(
        `${perSecond(MILLION, large.result.seconds)}; ${Math.round(few.length / 1e6)} MB took ${grew[0]} MB of memory, ${Math.round(many.length / 1e6)} MB took ${grew[1]} MB`,
      );
      expect(large.samples).toBeGreaterThan(10);
      expect(large.peak - large.before).toBeLessThan(many.length);
      expect(
        await rows(
          'SELECT count(*) AS n, sum(number) AS numbers, sum(share) AS shares, count(DISTINCT name) AS names, min(day) AS day FROM many',
        ),
      ).toEqual([
        {
          n: MILLION,
          numbers: (MILLION * (MILLION - 1)) / 2,
          shares: (MILLION * (MILLION - 1)) / 16,
          names: 1000,
          day: '2026-01-01',
        },
      ]);
    },
  );
});

describe('a power cut', () => {
  it('in the middle of an import costs no row and none comes twice', { timeout: 300_000 }, async () => {
    await upload('cut.csv', manyRows(MILLION / 2));
    const job = await start('dataset_import', { file: 'cut.csv' });
    for (let kill = 0; kill < 3; kill++) {
      await sleep(1000 + 700 * kill);
      await deployment.kill();
      await deployment.startAgain();
      client = await connectWithToken(deployment.mcpUrl, ada.token);
    }
    expect(await ended(job)).toMatchObject({ status: 'completed' });
    expect(await rows('SELECT count(*) AS n, count(DISTINCT number) AS numbers, sum(number) AS sum FROM cut')).toEqual([
      { n: MILLION / 2, numbers: MILLION / 2, sum: ((MILLION / 2) * (MILLION / 2 - 1)) / 2 },
    ]);
  });
});

describe('a query that does not end', () => {
  async function median(count: number): Promise<number> {
    const times: number[] = [];
    for (let index = 0; index < count; index++) {
      const began = performance.now();
      await call(client, 'state_get', { key: 'here' });
      times.push(performance.now() - began);
    }
    return times.toSorted((left, right) => left - right)[count >> 1] ?? 0;
  }

  it('keeps nobody waiting, and is ended', { timeout: 120_000 }, async () => {
    await call(client, 'state_set', { key: 'here', value: 1 });
    await upload('tiny.csv', manyRows(20_000));
    await run('dataset_import', { file: 'tiny.csv' });
    await median(50);
    const alone = await median(200);
    const job = await start('dataset_query', {
      sql: 'SELECT count(*) FROM tiny a, tiny b, tiny c WHERE a.name < b.name AND b.share < c.share',
    });
    await expect
      .poll(async () => (await call<{ steps: unknown[] }>(client, 'job_get', { job, steps: true })).steps.length)
      .toBeGreaterThan(0);
    const meanwhile = await median(200);
    expect((await call<{ job: Job }>(client, 'job_get', { job })).job.status).toBe('running');
    console.log(
      `state_get takes ${alone.toFixed(1)} ms, while a query does not end ${meanwhile.toFixed(1)} ms: ${(meanwhile / alone).toFixed(2)}`,
    );
    // As long as usual, but for noise: a query that held the thread would take all of its 20 s.
    expect(meanwhile).toBeLessThan(2 * alone + 5);
    expect(await ended(job)).toMatchObject({ status: 'failed', error: { code: 'too_large' } });
  });

  it('what is no table is named by no SQL', async () => {
    for (const sql of [
      'SELECT * FROM sqlite_master',
      'SELECT * FROM blocks',
      'SELECT * FROM state',
      'SELECT * FROM pragma_database_list',
    ])
      await expect(start('dataset_query', { sql })).rejects.toThrow(/Only reading|no such table/);
  });
});
