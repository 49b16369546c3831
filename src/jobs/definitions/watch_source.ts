import * as z from 'zod';

import { asCarrelError, CarrelError } from '../../lib/errors.ts';
import { shownLine } from '../../lib/untrusted.ts';
import { CLOCK } from '../../research/fetch/clock.ts';
import { Politeness } from '../../research/fetch/politeness.ts';
import { FILE_IDENTITY, reference, tag } from '../../research/model.ts';
import type { SourceService } from '../../research/source-service.ts';
import { defineJob } from '../definition.ts';
import type { JobRun, StepContext } from '../definition.ts';
import { outside, session, untrusted } from './shared.ts';

/** Sources of one run. */
const MAX_WATCHED = 1000;
/** Rows in the result, and passages of one source in it. */
const SHOWN_ROWS = 100;
const SHOWN_PASSAGES = 3;
/** Characters of a passage. */
const PASSAGE = 200;
/** Links of one note, and characters of its text: well under what a note takes. */
const NOTE_LINKS = 100;
const NOTE_CHARACTERS = 6000;
/** Of the notes that this writes; of those about what is gone, too. */
const WATCHED = 'watched';
const GONE = 'gone';

const input = z.strictObject({
  session,
  sources: z
    .array(reference)
    .min(1)
    .max(MAX_WATCHED)
    .optional()
    .describe('Keys or ids; else all that were fetched and not dropped'),
  tag: tag.optional().describe('Only sources with it'),
  report: z.enum(['note', 'none']).default('note').describe('A note of the research where something changed'),
});

type Input = z.output<typeof input>;

const OUTCOMES = ['changed', 'unchanged', 'gone', 'failed'] as const;

const row = z.object({
  source: z.string(),
  outcome: z.enum(OUTCOMES),
  snapshot: z.int().optional(),
  added: z.int().optional().describe('Passages that are new'),
  removed: z.int().optional(),
  reason: z.string().optional(),
});

const output = z.object({
  session: z.string().describe('Id'),
  counts: z.object({
    changed: z.int(),
    unchanged: z.int(),
    gone: z.int(),
    failed: z.int(),
    left_out: z.int().describe(`Beyond ${MAX_WATCHED}`),
  }),
  rows: z.array(row).describe(`What changed first, at most ${SHOWN_ROWS}`),
  notes: z.array(z.string()).describe('Ids of what was written'),
  untrusted: untrusted.describe('The first changed passages: + new, - gone'),
});

/** What a step tells of a source. */
type Watched = {
  readonly source: string;
  readonly outcome: (typeof OUTCOMES)[number];
  readonly snapshot?: number;
  readonly added?: number;
  readonly removed?: number;
  readonly reason?: string;
  readonly passages?: readonly string[];
};

export interface WatchSourceServices {
  readonly sources: SourceService;
}

/** Looks at sources again, and says what changed: made for schedules. */
export const watchSource = ({ sources }: WatchSourceServices) =>
  defineJob({
    name: 'watch_source',
    title: 'Watch sources',
    description:
      'Looks at sources of a research again where they came from: some, or all. What says something else gets a further snapshot. Gives what changed, with short passages, and what is gone; writes a note where something changed. Put it on a schedule.',
    input,
    output,
    scopes: ({ report }) => ['research:write', ...(report === 'note' ? ['research:read'] : [])],
    async check({ session: within, sources: named = [] }, { workspace }) {
      await workspace.sources.admit(within, 0);
      // Those named by hand are few; the others are looked for while it runs.
      for (const source of named.slice(0, 50)) await workspace.sources.get(within, source, undefined);
    },
    async run(job) {
      const { id, keys, leftOut } = await listed(job);
      // Of this run: after a restart nobody was asked for a while.
      const politeness = new Politeness(CLOCK);
      const watched: Watched[] = [];
      for (const key of keys) {
        watched.push(
          await orFailed(key, async () =>
            job.step(`refresh-${key}`, async (context) => refreshed(sources, context, id, key, politeness)),
          ),
        );
        job.progress(watched.length, keys.length);
      }
      const notes = job.input.report === 'note' ? await reported(job, id, watched) : [];
      const count = (outcome: Watched['outcome']) => watched.filter((each) => each.outcome === outcome).length;
      const shown = watched
        .toSorted((a, b) => OUTCOMES_SHOWN.indexOf(a.outcome) - OUTCOMES_SHOWN.indexOf(b.outcome))
        .slice(0, SHOWN_ROWS);
      return {
        session: id,
        counts: {
          changed: count('changed'),
          unchanged: count('unchanged'),
          gone: count('gone'),
          failed: count('failed'),
          left_out: leftOut,
        },
        rows: shown.map(({ passages: _passages, ...each }) => each),
        notes,
        untrusted: outside(shown.flatMap((each) => passagesOf(each))),
      };
    },
  });

const OUTCOMES_SHOWN: readonly Watched['outcome'][] = ['changed', 'gone', 'failed', 'unchanged'];

const passagesOf = ({ source, passages = [] }: Watched) => passages.map((passage) => `${source} ${passage}`);

async function listed(job: JobRun<Input>): Promise<{ id: string; keys: readonly string[]; leftOut: number }> {
  const { sources: named, session: within, tag: wanted } = job.input;
  return job.step('list', async ({ workspace: { sources } }) => {
    const { id } = await sources.admit(within, 0);
    const found = new Map<string, string>();
    let leftOut = 0;
    if (named)
      for (const source of named) {
        const { id: sourceId, key, tags } = await sources.get(id, source, undefined);
        if (wanted === undefined || tags.includes(wanted)) found.set(sourceId, key);
      }
    else
      for (let after: readonly (string | number)[] | undefined; ;) {
        const page = await sources.list(id, { view: 'all', host: undefined, tag: wanted }, 200, after);
        for (const { id: sourceId, key, identity, url, state, snapshot } of page.sources) {
          const isWatched =
            url !== undefined &&
            !identity.startsWith(FILE_IDENTITY) &&
            state !== 'dropped' &&
            snapshot.origin !== 'pasted';
          if (!isWatched) continue;
          if (found.size < MAX_WATCHED) found.set(sourceId, key);
          else leftOut += 1;
        }
        if (!page.next) break;
        after = page.next;
      }
    if (found.size === 0)
      throw new CarrelError('not_found', 'There is no source to look at again. `source_list` shows those there are.');
    return { id, keys: [...found.values()], leftOut };
  });
}

async function refreshed(
  service: SourceService,
  { workspace, principal, origin }: StepContext,
  within: string,
  key: string,
  politeness: Politeness,
): Promise<Watched> {
  const { results } = await service.refresh(
    workspace,
    {
      workspaceId: principal.workspaceId,
      mayReadFiles: () => {
        if (!principal.scopes.includes('files:read'))
          throw new CarrelError('forbidden', 'This source is a file, which this job may not read.');
      },
      origin,
      signal: new AbortController().signal,
      politeness,
      progress: async () => undefined,
    },
    { session: within, sources: [key] },
  );
  const [result] = results;
  if (!result || result.error) {
    // Nothing that the source said: to be tried again.
    if (result?.error?.code === 'internal') throw result.error;
    return failed(key, result?.error);
  }
  const { source, changes, outcome } = result;
  const snapshot = source?.snapshot.number ?? 1;
  if (outcome !== 'changed') return { source: key, outcome: 'unchanged', snapshot };
  const passages = (sign: string, all: readonly string[] = []) =>
    all.slice(0, SHOWN_PASSAGES).map((passage) => `${sign} ${shownLine(passage, PASSAGE)}`);
  // Other bytes that say the same are no change for whoever reads.
  const [added, removed] = [changes?.added ?? 0, changes?.removed ?? 0];
  return {
    source: key,
    outcome: added + removed > 0 ? 'changed' : 'unchanged',
    snapshot,
    added,
    removed,
    passages: [...passages('+', changes?.addedPassages), ...passages('-', changes?.removedPassages)],
  };
}

function failed(key: string, error: CarrelError | undefined): Watched {
  const { code, details } = asCarrelError(error);
  const reason = String(details['reason'] ?? code);
  return { source: key, outcome: reason === 'not_there' ? 'gone' : 'failed', reason };
}

/** One that fails again and again keeps no other from being looked at. */
async function orFailed(key: string, run: () => Promise<Watched>): Promise<Watched> {
  try {
    return await run();
  } catch (thrown) {
    const passes = ['internal', 'unavailable', 'not_found'];
    if (thrown instanceof CarrelError && passes.includes(thrown.code)) return failed(key, thrown);
    throw thrown;
  }
}

/**
 * Notes what changed, and what is gone, once: as somebody else's words, because passages of pages stand in it, and a
 * note of the person's own agents is taken at its word.
 */
async function reported(job: JobRun<Input>, within: string, watched: readonly Watched[]): Promise<string[]> {
  const changed = watched.filter(({ outcome }) => outcome === 'changed');
  const gone = watched.filter(({ outcome }) => outcome === 'gone');
  const day = new Date(await job.now('reported')).toISOString().slice(0, 10);
  const written: string[] = [];
  if (changed.length > 0) {
    const lines = changed.flatMap((each) => [
      `${each.source}, snapshot ${each.snapshot}: ${each.added} passages new, ${each.removed} gone`,
      ...(each.passages ?? []),
    ]);
    written.push(await noted(job, 'note', within, `What changed until ${day}`, lines, changed, [WATCHED]));
  }
  if (gone.length === 0) return written;
  const fresh = await job.step('gone', async ({ workspace: { notes } }) => {
    const untold: string[] = [];
    for (const { source } of gone) {
      const told = await notes.list(within, { about: source, tag: GONE }, 1, undefined).catch((thrown: unknown) => {
        // Somebody removed the source meanwhile.
        if (thrown instanceof CarrelError && thrown.code === 'not_found') return undefined;
        throw thrown;
      });
      if (told?.notes.length === 0) untold.push(source);
    }
    return untold;
  });
  const untold = gone.filter(({ source }) => fresh.includes(source));
  if (untold.length > 0) {
    const lines = untold.map(
      ({ source }) => `${source}: there is nothing any more at its address. The snapshot stays.`,
    );
    written.push(await noted(job, 'gone-note', within, `What is gone since ${day}`, lines, untold, [WATCHED, GONE]));
  }
  return written;
}

async function noted(
  job: JobRun<Input>,
  step: string,
  within: string,
  title: string,
  lines: readonly string[],
  about: readonly Watched[],
  tags: readonly string[],
): Promise<string> {
  let room = NOTE_CHARACTERS;
  const kept = lines.filter((line) => (room -= line.length + 1) >= 0);
  const text = [...kept, ...(kept.length < lines.length ? [`… ${lines.length - kept.length} lines more`] : [])].join(
    '\n',
  );
  const { id } = await job.step(step, async ({ workspace: { notes, sources } }) => {
    // Of a source that was removed meanwhile there is nothing to link to.
    const there = new Set(await sources.keys(within));
    const links = about.map(({ source }) => source).filter((key) => there.has(key));
    const { note } = await notes.write(
      within,
      { title, text, tags, isImported: true },
      links.slice(0, NOTE_LINKS),
      Date.now(),
    );
    return { id: note.id };
  });
  return id;
}
