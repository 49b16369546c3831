import * as z from 'zod';

import { CREATE, defineTool, DESTROY, READ, UPDATE } from '../../mcp/toolset.ts';
import type { CallContext } from '../../mcp/context.ts';
import { sessionRef } from '../../sessions/model.ts';
import { byteLength } from '../../lib/encoding.ts';
import { fenced, shownLine } from '../../lib/untrusted.ts';
import { MAX_BATCH, MAX_PAGE, MAX_PASTED, reference, remark, SOURCE_STATES, tag, tags } from '../model.ts';
import type { SourceResult, SourceService } from '../source-service.ts';
import type { TextWindow } from '../window.ts';
import {
  cursor,
  nextCursor,
  requireFiles,
  saidBy,
  session,
  showSource,
  shownSource,
  sourceLine,
  untrusted,
  withFenceNote,
  withUntrusted,
} from './shared.ts';

/** UTF-16 code units that one answer of `source_read` has: it says its text twice, and a character may take three. */
const READ_CHARACTERS = 12_000;
/** Headings and changed passages in one answer. */
const HEADINGS = 200;
const PASSAGES = 40;

const results = z.array(
  z.object({
    input: z.string(),
    outcome: z.string(),
    source: shownSource.optional(),
    changes: z.object({ added: z.int(), removed: z.int() }).optional(),
    problem: z.string().optional(),
    reason: z.string().optional(),
  }),
);

/** Tools around sources. */
export function sourceTools(service: SourceService) {
  const visitor = (context: CallContext) => ({
    workspaceId: context.principal.workspaceId,
    mayReadFiles: () => requireFiles(context.principal, 'files:read'),
    origin: context.origin,
    signal: context.signal,
    progress: async (done: number, total: number) => context.progress(done, total),
  });

  const add = defineTool('source_add', {
    title: 'Add sources',
    description:
      'Adds up to 20 sources and keeps them as they are now: web addresses (also doi:, arXiv:), files of the shelf, pasted text. Each gets a key to cite it by. The same address again is a further snapshot.',
    slow: true,
    behaviour: { ...CREATE, openWorld: true },
    input: z.strictObject({
      session,
      urls: z.array(z.string().trim().min(1).max(8000)).max(MAX_BATCH).default([]),
      files: z.array(reference).max(MAX_BATCH).default([]).describe('Ids or paths'),
      texts: z
        .array(
          z.strictObject({
            title: z.string().trim().min(1).max(300),
            text: z
              .string()
              .refine(
                (text) => byteLength(text) <= MAX_PASTED,
                'is longer than is pasted: put it on the shelf as a file',
              ),
            url: z.string().trim().max(8000).optional(),
          }),
        )
        .max(MAX_BATCH)
        .default([]),
      tags: tags.default([]),
    }),
    output: z.object({ session: sessionRef, results, untrusted }),
    asksWorkspaceFirst: true,
    handle: async (input, context) => show(await service.add(context.workspace, visitor(context), input)),
    text: said,
  });

  const refresh = defineTool('source_refresh', {
    title: 'Refresh sources',
    description: 'Looks at sources again where they came from, keeps what they say now, and tells what changed.',
    slow: true,
    behaviour: { ...UPDATE, openWorld: true },
    input: z.strictObject({ session, sources: z.array(reference).min(1).max(MAX_BATCH) }),
    output: z.object({ session: sessionRef, results, untrusted }),
    asksWorkspaceFirst: true,
    handle: async (input, context) => show(await service.refresh(context.workspace, visitor(context), input)),
    text: said,
  });

  const list = defineTool('source_list', {
    title: 'List sources',
    description: 'The sources of a research in the order in which they were added, with what they say of themselves.',
    behaviour: READ,
    input: z.strictObject({
      session,
      view: z.enum(['all', 'unread', 'cited', 'kept', 'dropped']).default('all'),
      host: z.string().trim().toLowerCase().max(253).optional(),
      tag: tag.optional(),
      limit: z.int().min(1).max(MAX_PAGE).default(30),
      cursor,
    }),
    output: z.object({ session: sessionRef, sources: z.array(shownSource), untrusted, next_cursor: nextCursor }),
    handle: async ({ host, tag: wanted, cursor: from, ...input }, { workspace }) => {
      const page = await service.list(workspace, { ...input, session: input.session, host, tag: wanted, cursor: from });
      return {
        session: page.session,
        sources: page.sources.map(showSource),
        untrusted: saidBy(page.sources),
        next_cursor: page.nextCursor,
      };
    },
    text: ({ session: { slug }, sources, untrusted: outside, next_cursor }) =>
      sources.length === 0
        ? `No such sources in ${slug}.`
        : withUntrusted(
            [
              `Sources in ${slug}:`,
              ...sources.map(sourceLine),
              next_cursor === undefined ? undefined : `More: cursor ${next_cursor}`,
            ],
            outside,
          ),
  });

  const read = defineTool('source_read', {
    title: 'Read a source',
    description:
      'Reads a source as it was stored, window by window: from its beginning, a page or section (`part`), or an `offset`. Quote only what stands here.',
    behaviour: READ,
    input: z.strictObject({
      session,
      source: reference.describe('Key or id'),
      part: z.int().min(1).optional().describe('Page or section'),
      offset: z.int().min(0).optional().describe('`next_offset` of the window before'),
      max_characters: z.int().min(200).max(READ_CHARACTERS).default(READ_CHARACTERS),
      snapshot: z.int().min(1).optional().describe('An earlier one'),
      outline: z.boolean().default(false).describe('Its headings instead of its text'),
    }),
    output: z.object({
      session: sessionRef,
      source: shownSource,
      part: z.int(),
      offset: z.int(),
      next_offset: z.int().optional().describe('Left out at the end'),
      untrusted,
    }),
    handle: async ({ max_characters: characters, outline, ...input }, { workspace, principal }) => {
      const { source, window } = await service.read(workspace, {
        session: input.session,
        source: input.source,
        snapshot: input.snapshot,
        part: input.part,
        offset: input.offset,
        characters,
        // Who may change nothing leaves no mark that it was read.
        marks: principal.scopes.includes('research:write'),
      });
      const headings = source.snapshot.outline.map(
        ({ title, level, part }) => `${'  '.repeat(level - 1)}${shownLine(title, 100)} (part ${part})`,
      );
      if (headings.length > HEADINGS) headings.splice(HEADINGS, Infinity, `… ${headings.length - HEADINGS} more`);
      return {
        session: source.session,
        source: showSource(source),
        part: window.part,
        offset: outline ? 0 : window.start,
        ...(window.next === undefined || outline ? {} : { next_offset: window.next }),
        untrusted: fenced(
          outline ? headings.join('\n') : (isHeaded(window) ? '' : `[${shownLine(window.label, 120)}]\n`) + window.text,
        ),
      };
    },
    text: ({ source: { key, parts, unit, characters, snapshot }, part, offset, next_offset, untrusted: outside }) =>
      withUntrusted(
        [
          `${key}, snapshot ${snapshot}, ${unit} ${part} of ${parts}, from ${offset} of ${characters}${next_offset === undefined ? '' : `; go on with offset ${next_offset}`}:`,
        ],
        outside,
      ),
  });

  const update = defineTool('source_update', {
    title: 'Judge a source',
    description: 'Keeps, drops, rates (1 to 5), tags or annotates a source. What is left out stays.',
    behaviour: UPDATE,
    input: z.strictObject({
      session,
      source: reference,
      state: z.enum(SOURCE_STATES).optional(),
      rating: z.int().min(1).max(5).optional(),
      tags: tags.optional(),
      note: remark.optional(),
    }),
    output: z.object({ session: sessionRef, source: shownSource }),
    handle: async ({ session: within, source, ...change }, { workspace }) => {
      const changed = await service.update(workspace, within, source, change);
      return { session: changed.session, source: showSource(changed) };
    },
    text: ({ source }) => withFenceNote(sourceLine(source)),
  });

  const remove = defineTool('source_remove', {
    title: 'Remove a source',
    description:
      'Removes a source and its snapshots for good. One that is quoted or cited is refused: drop it instead.',
    behaviour: DESTROY,
    input: z.strictObject({ session, source: reference }),
    output: z.object({ session: sessionRef, removed: z.string() }),
    handle: async ({ session: within, source }, { workspace }) => {
      const { session: where, key } = await service.remove(workspace, within, source);
      return { session: where, removed: key };
    },
    text: ({ removed }) => `Removed ${removed}.`,
  });

  return [add, refresh, list, read, update, remove];
}

/** Whether the text says itself in which page or section it begins. */
function isHeaded({ label, text }: TextWindow): boolean {
  return label === '' || /^\s*#+ (.*)/.exec(text)?.[1]?.trim() === label;
}

type Results = { readonly session: z.output<typeof sessionRef>; readonly results: readonly SourceResult[] };

function show({ session: within, results: all }: Results) {
  const sources = all.flatMap(({ source }) => source ?? []);
  const passages = all.flatMap(({ source, changes }) =>
    source && changes
      ? [
          ...changes.addedPassages.map((text) => `${source.key} + ${shownLine(text)}`),
          ...changes.removedPassages.map((text) => `${source.key} - ${shownLine(text)}`),
        ]
      : [],
  );
  return {
    session: within,
    results: all.map(({ input, outcome, source, changes, error }) => ({
      input: shownLine(input),
      outcome,
      // What was noted of them came from whoever calls, and twenty notes are more than an answer may have.
      ...(source ? { source: showSource({ ...source, note: '', tags: [] }) } : {}),
      ...(changes ? { changes: { added: changes.added, removed: changes.removed } } : {}),
      ...(error ? { problem: error.message, reason: String(error.details['reason'] ?? error.code) } : {}),
    })),
    untrusted: [
      saidBy(sources),
      ...(passages.length === 0 ? [] : [fenced(passages.slice(0, PASSAGES).join('\n'))]),
    ].join('\n'),
  };
}

function said({
  results: all,
  untrusted: outside,
}: z.output<z.ZodObject<{ results: typeof results; untrusted: typeof untrusted }>>) {
  return withUntrusted(
    all.map(({ input, outcome, source, changes, problem }) =>
      source
        ? `${outcome}${changes ? ` (${changes.added} passages new, ${changes.removed} gone)` : ''}: ${sourceLine(source)}`
        : `${outcome}: ${input}: ${problem ?? ''}`,
    ),
    outside,
  );
}
