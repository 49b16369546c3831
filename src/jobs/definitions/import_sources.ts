import * as z from 'zod';

import { fileReference, filePath } from '../../files/model.ts';
import type { UploadService } from '../../files/upload-service.ts';
import { asCarrelError, CarrelError } from '../../lib/errors.ts';
import { shownLine } from '../../lib/untrusted.ts';
import { normalise } from '../../research/addresses/normalise.ts';
import { CLOCK } from '../../research/fetch/clock.ts';
import { Politeness } from '../../research/fetch/politeness.ts';
import { tags } from '../../research/model.ts';
import type { SourceService, Visitor } from '../../research/source-service.ts';
import { defineJob } from '../definition.ts';
import type { JobRun, Json, WorkContext } from '../definition.ts';
import { checkedAddress, listed, listOf } from './listed.ts';
import type { ListServices } from './listed.ts';
import { csvOf, outside, ownerOf, session, untrusted } from './shared.ts';

const MAX_ADDRESSES = 1000;
/** Rows in the result; all are in the table, where there is one. */
const SHOWN_ROWS = 50;

const address = z.string().trim().min(1, 'is empty').max(8000, 'has more than 8000 characters');

const input = z
  .strictObject({
    session,
    addresses: z
      .array(address)
      .min(1)
      .max(MAX_ADDRESSES, `are more than ${MAX_ADDRESSES}`)
      .optional()
      .describe('URLs, doi:, arXiv:'),
    sitemap: address.optional().describe('Address of a sitemap.xml, of an index of them, or of a list as text'),
    file: fileReference
      .optional()
      .describe('Id or path of a list: an address a line, a column of a CSV, or links in Markdown'),
    column: z
      .string()
      .trim()
      .min(1)
      .max(200)
      .optional()
      .describe('Of the CSV: name or number; else the first that fits'),
    under: z
      .url({ protocol: /^https?$/ })
      .max(2000)
      .optional()
      .describe('Only addresses that begin so'),
    limit: z.int().min(1).max(MAX_ADDRESSES).default(MAX_ADDRESSES),
    tags: tags.default([]),
    table: filePath.optional().describe('Where the table goes as CSV; else `imports/…csv` where it is long'),
  })
  .refine(
    (given) => [given.addresses, given.sitemap, given.file].filter((each) => each !== undefined).length === 1,
    'Give one of addresses, sitemap and file',
  );

type Input = z.output<typeof input>;

const row = z.object({
  number: z.int(),
  outcome: z.enum(['added', 'changed', 'unchanged', 'refused']),
  key: z.string().optional(),
  id: z.string().optional(),
  reason: z.string().optional(),
  problem: z.string().optional(),
});

const output = z.object({
  session: z.string().describe('Id'),
  counts: z.object({
    added: z.int(),
    changed: z.int(),
    unchanged: z.int(),
    refused: z.int(),
    left_out: z.int().describe('Beyond the limit, as far as they were seen, or said twice'),
  }),
  rows: z.array(row).describe(`The refused first, at most ${SHOWN_ROWS}`),
  table: z.object({ id: z.string(), path: z.string() }).optional().describe('All of them, as CSV'),
  untrusted: untrusted.describe('Their addresses by number'),
});

type Row = z.output<typeof row>;

export interface ImportSourcesServices extends ListServices {
  readonly uploads: UploadService;
  readonly sources: SourceService;
}

/** Many sources at once: one address a step, so that whatever breaks costs one of them. */
export const importSources = (services: ImportSourcesServices) =>
  defineJob({
    name: 'import_sources',
    title: 'Import sources',
    description:
      'Adds up to 1,000 sources to a research: a list of addresses, a sitemap, or a list in a file of the shelf. Each is fetched politely; what is there already is refreshed. Gives counts and a table with the key of each, or why it was refused. For up to 20, `source_add` answers at once.',
    input,
    output,
    scopes: ({ addresses, file, table }) => [
      'research:write',
      ...(file === undefined ? [] : ['files:read']),
      ...(isLong(addresses) || table !== undefined ? ['files:write'] : []),
    ],
    async check(given, context) {
      await context.workspace.sources.admit(given.session, 1);
      if (given.sitemap !== undefined) checkedAddress(given.sitemap);
      if (given.file === undefined) return;
      const { addresses } = await listOf(services, context, given);
      if (addresses.length === 0)
        throw new CarrelError('invalid_input', 'There is no address in this file. Give the column, or another file.');
    },
    async run(job) {
      const { id } = await job.step('session', async ({ workspace }) => {
        const { id: within } = await workspace.sources.admit(job.input.session, 0);
        return { id: within };
      });
      const { addresses, leftOut, refused } = await listed(job, services);
      const started = await job.now('started');
      const rows = await addAll(job, services, id, addresses);
      for (const { reason, problem } of refused)
        rows.push({ number: rows.length + 1, outcome: 'refused', reason, problem });
      const named = [...addresses, ...refused.map((each) => each.address)];
      const table = await tableOf(job, services, { session: id, rows, named, started });
      const count = (outcome: Row['outcome']) => rows.filter((each) => each.outcome === outcome).length;
      const shown = rows
        .toSorted((a, b) => Number(b.outcome === 'refused') - Number(a.outcome === 'refused'))
        .slice(0, SHOWN_ROWS);
      return {
        session: id,
        counts: {
          added: count('added'),
          changed: count('changed'),
          unchanged: count('unchanged'),
          refused: count('refused'),
          left_out: leftOut,
        },
        rows: shown,
        ...(table ? { table } : {}),
        untrusted: outside(shown.map(({ number }) => `${number}: ${shownLine(named[number - 1] ?? '', 500)}`)),
      };
    },
  });

/** Of a sitemap or a file nobody knows before. */
const isLong = (addresses: readonly string[] | undefined) => addresses === undefined || addresses.length > SHOWN_ROWS;

async function addAll(
  job: JobRun<Input>,
  { sources }: ImportSourcesServices,
  within: string,
  addresses: readonly string[],
): Promise<Row[]> {
  // Of this run: after a restart nobody was asked for a while.
  const politeness = new Politeness(CLOCK);
  const rows = new Map<number, Row>();
  for (const index of inTurns(addresses)) {
    const one = addresses[index] ?? '';
    const number = index + 1;
    rows.set(number, {
      number,
      ...(await orRefused(async () =>
        job.step(
          `add-${number}`,
          async (context) => {
            const { results } = await sources.add(context.workspace, visitorOf(context, politeness), {
              session: within,
              urls: [one],
              files: [],
              texts: [],
              tags: job.input.tags,
            });
            const [result] = results;
            // Nothing that the address said: to be tried again.
            if (result?.error?.code === 'internal') throw result.error;
            return result?.source
              ? { outcome: result.outcome, key: result.source.key, id: result.source.id }
              : refusedAs(result?.error);
          },
          { input: { address: one.slice(0, 2000) } },
        ),
      )),
    });
    job.progress(rows.size, addresses.length);
  }
  return [...rows.values()].toSorted((a, b) => a.number - b.number);
}

/** One from each host after the other: a host is left alone meanwhile, and a slow one holds up few. */
function inTurns(addresses: readonly string[]): number[] {
  const hosts = Map.groupBy(addresses.keys(), (index) => {
    const place = normalise(addresses[index] ?? '');
    return place.fault === undefined ? (URL.parse(place.fetch)?.host ?? '') : '';
  });
  const order: number[] = [];
  for (let turn = 0; order.length < addresses.length; turn++)
    for (const indexes of hosts.values()) {
      const index = indexes[turn];
      if (index !== undefined) order.push(index);
    }
  return order;
}

/** One that fails again and again keeps no other back. */
async function orRefused(run: () => Promise<Json>): Promise<Omit<Row, 'number'>> {
  try {
    return (await run()) as Omit<Row, 'number'>;
  } catch (thrown) {
    if (thrown instanceof CarrelError && ['internal', 'unavailable'].includes(thrown.code)) return refusedAs(thrown);
    throw thrown;
  }
}

function refusedAs(error: CarrelError | undefined) {
  const { code, message, details } = asCarrelError(error);
  return { outcome: 'refused' as const, reason: String(details['reason'] ?? code), problem: message };
}

function visitorOf({ principal, origin }: WorkContext, politeness: Politeness): Visitor {
  return {
    workspaceId: principal.workspaceId,
    mayReadFiles: () => undefined,
    origin,
    signal: new AbortController().signal,
    politeness,
    progress: async () => undefined,
  };
}

async function tableOf(
  job: JobRun<Input>,
  { uploads }: ImportSourcesServices,
  {
    session: within,
    rows,
    named,
    started,
  }: { session: string; rows: readonly Row[]; named: readonly string[]; started: number },
): Promise<{ readonly id: string; readonly path: string } | undefined> {
  const { table } = job.input;
  if (table === undefined && rows.length <= SHOWN_ROWS) return undefined;
  const content = csvOf([
    ['number', 'address', 'outcome', 'key', 'source', 'reason'],
    ...rows.map(({ number, outcome, key, id, reason }) => [number, named[number - 1], outcome, key, id, reason]),
  ]);
  const path = table ?? `imports/sources ${new Date(started).toISOString().slice(0, 19).replaceAll(':', '-')}.csv`;
  return job.step('table', async (context) => {
    const file = await uploads.write(context.workspace, ownerOf(context), {
      session: within,
      path,
      // A table that somebody named is theirs to replace.
      ifExists: table === undefined ? 'keep_both' : 'new_version',
      type: 'text/csv',
      content,
    });
    return { id: file.id, path: file.path };
  });
}
