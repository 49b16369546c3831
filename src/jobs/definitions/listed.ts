import { collect } from '../../files/intake.ts';
import type { FileService } from '../../files/service.ts';
import { byteLength } from '../../lib/encoding.ts';
import { asCarrelError, CarrelError } from '../../lib/errors.ts';
import { normalise } from '../../research/addresses/normalise.ts';
import { CLOCK } from '../../research/fetch/clock.ts';
import { Politeness } from '../../research/fetch/politeness.ts';
import { addressRefusal } from '../../research/fetch/refusals.ts';
import { readList } from '../../research/lists/read-list.ts';
import type { ListedAddresses } from '../../research/lists/read-list.ts';
import { readSitemap } from '../../research/lists/sitemap.ts';
import { guardedFetch } from '../../web/guarded-fetch.ts';
import type { JobRun, Json, WorkContext } from '../definition.ts';

/** Bytes of a file with a list. */
const MAX_LIST_BYTES = 5_000_000;
/** Sitemaps that one import reads: those of an index, and of the indexes in it. */
const MAX_SITEMAPS = 50;
/** Bytes of the packed sitemap, and how long it may take, in ms. */
const SITEMAP_BYTES = 50 * 1024 * 1024;
const SITEMAP_MS = 30_000;
/** Bytes of addresses in one outcome of a step. */
const OUTCOME_BYTES = 150_000;
/** Where a list of addresses is: one of these. */
export interface ListInput {
  readonly session?: string | undefined;
  readonly addresses?: readonly string[] | undefined;
  readonly sitemap?: string | undefined;
  readonly file?: string | undefined;
  readonly column?: string | undefined;
  /** Only addresses that begin so. */
  readonly under?: string | undefined;
  readonly limit: number;
}

export interface ListServices {
  readonly files: FileService;
  /** Whether http to this machine is fetched. */
  readonly loopback: boolean;
}

/** What is to be imported, in order. */
export interface Listed {
  readonly addresses: readonly string[];
  readonly leftOut: number;
  /** Sitemaps that could not be read. */
  readonly refused: readonly { readonly address: string; readonly reason: string; readonly problem: string }[];
}

/** The addresses of a list, in steps of the job. */
export async function listed(job: JobRun<ListInput>, services: ListServices): Promise<Listed> {
  const { addresses, file, sitemap, limit } = job.input;
  if (sitemap !== undefined) return ofSitemaps(job, services, sitemap);
  const { all, tooLong } = file === undefined ? { all: addresses ?? [], tooLong: 0 } : await ofFile(job, services);
  const kept = withoutRepeated(all.filter((each) => isUnder(each, job.input.under)));
  return { addresses: kept.slice(0, limit), leftOut: tooLong + all.length - Math.min(kept.length, limit), refused: [] };
}

const isUnder = (one: string, under: string | undefined) => under === undefined || one.startsWith(under);

/** What names one source twice is one. What is no address stays, to be refused by name. */
function withoutRepeated(addresses: readonly string[]): string[] {
  const seen = new Set<string>();
  return addresses.filter((each) => {
    const place = normalise(each);
    const key = place.fault === undefined ? place.key : each;
    return !seen.has(key) && seen.add(key);
  });
}

/** The list of a file, of the version that the first step finds, some at a time: an outcome has a limit. */
async function ofFile(job: JobRun<ListInput>, services: ListServices) {
  const all: string[] = [];
  let version: number | undefined;
  for (let part = 1; ; part++) {
    const step = await job.step(`list-${part}`, async (context) => {
      const { addresses, tooLong, version: read } = await listOf(services, context, job.input, version);
      let room = OUTCOME_BYTES;
      const some: string[] = [];
      for (const each of addresses.slice(all.length)) {
        room -= byteLength(JSON.stringify(each));
        if (room < 0 && some.length > 0) break;
        some.push(each);
      }
      return { some, tooLong, version: read, isLast: all.length + some.length >= addresses.length };
    });
    all.push(...step.some);
    ({ version } = step);
    if (step.isLast) return { all, tooLong: step.tooLong };
  }
}

/** @throws CarrelError `not_found`, `too_large`, `unsupported`, `invalid_input` (no such column, or a cell too long) */
export async function listOf(
  { files }: ListServices,
  { workspace }: WorkContext,
  { file: reference = '', session: within, column }: ListInput,
  version?: number,
): Promise<ListedAddresses & { readonly version: number }> {
  const file = await files.find(workspace, { file: reference, session: within }, version);
  if (file.size > MAX_LIST_BYTES)
    throw new CarrelError('too_large', 'A list of addresses has at most 5 MB. Give a shorter one.', {
      details: { size: file.size, limit: MAX_LIST_BYTES },
    });
  const bytes = file.size === 0 ? new Uint8Array() : await collect(await files.bytes(file));
  const text = decoded(bytes);
  if (text === undefined)
    throw new CarrelError('unsupported', 'This file is no text in UTF-8. Give a list as text, CSV or Markdown.');
  const found = readList(text, /\.(?:md|markdown)$/i.test(file.path) ? 'text/markdown' : file.type, column);
  if (!found)
    throw new CarrelError('invalid_input', 'The table has no such column, or none with addresses. Name the column.');
  return { ...found, version: file.version };
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** A sitemap a step, and several of one whose addresses are too many for an outcome. */
async function ofSitemaps(job: JobRun<ListInput>, services: ListServices, root: string): Promise<Listed> {
  const { limit, under } = job.input;
  const politeness = new Politeness(CLOCK);
  const queue: string[] = [root];
  const refused: { address: string; reason: string; problem: string }[] = [];
  let found: string[] = [];
  let seen = 0;
  let leftOut = 0;
  for (let number = 0; number < queue.length && number < MAX_SITEMAPS && found.length < limit; number++) {
    const one = queue[number] ?? '';
    for (let skip = 0; ;) {
      const step = await orRefusedSitemap(async () =>
        job.step(`sitemap-${number + 1}-${skip}`, async (context) =>
          sitemapAt(services, context, one, politeness, {
            under,
            skip,
            count: limit - found.length,
          }),
        ),
      );
      if ('problem' in step) {
        if (number === 0 && skip === 0)
          throw new CarrelError(step.code, step.problem, { details: { reason: step.reason } });
        refused.push({ address: one, reason: step.reason, problem: step.problem });
        break;
      }
      skip += step.addresses.length;
      leftOut += step.tooLong;
      if (step.kind === 'index') queue.push(...step.addresses.filter((each) => !queue.includes(each)));
      else {
        seen += step.addresses.length;
        found = withoutRepeated([...found, ...step.addresses]);
      }
      if (step.more && step.addresses.length === 0) leftOut += 1;
      if (!step.more || step.addresses.length === 0 || found.length >= limit) {
        if (step.more && found.length >= limit) leftOut += 1;
        break;
      }
    }
  }
  return { addresses: found.slice(0, limit), leftOut: leftOut + seen - Math.min(found.length, limit), refused };
}

type SitemapStep =
  | {
      readonly kind: 'index' | 'pages';
      readonly addresses: readonly string[];
      readonly more: boolean;
      readonly tooLong: number;
    }
  | { readonly code: CarrelError['code']; readonly reason: string; readonly problem: string };

async function orRefusedSitemap(run: () => Promise<Json>): Promise<SitemapStep> {
  try {
    return (await run()) as unknown as SitemapStep;
  } catch (thrown) {
    if (!(thrown instanceof CarrelError) || thrown.code !== 'unavailable') throw thrown;
    const { code, message: problem, details } = thrown;
    return { code, problem, reason: String(details['reason'] ?? code) };
  }
}

async function sitemapAt(
  { loopback }: ListServices,
  { origin }: WorkContext,
  one: string,
  politeness: Politeness,
  { under, skip, count }: { readonly under: string | undefined; readonly skip: number; readonly count: number },
): Promise<Json> {
  try {
    const { signal } = new AbortController();
    const { body } = await guardedFetch({
      address: checkedAddress(one),
      origin,
      loopback,
      accept: 'application/xml, text/xml;q=0.9, text/plain;q=0.8, */*;q=0.5',
      maxBytes: SITEMAP_BYTES,
      timeoutMs: SITEMAP_MS,
      before: async ({ host }) => politeness.pace(host, signal),
    });
    const bounds = { skip, count: Math.max(count, MAX_SITEMAPS), characters: OUTCOME_BYTES };
    const { kind, addresses, more, tooLong } = await readSitemap(body, (each) => isUnder(each, under), bounds);
    return { kind, addresses, more, tooLong };
  } catch (thrown) {
    const error = asCarrelError(thrown);
    if (error.code === 'internal' || error.code === 'unavailable') throw thrown;
    return { code: error.code, problem: error.message, reason: String(error.details['reason'] ?? error.code) };
  }
}

/** @throws CarrelError `invalid_input` */
export function checkedAddress(text: string): string {
  const url = URL.parse(text.trim());
  if (!url) throw addressRefusal('not_a_url');
  return url.href;
}
