import * as z from 'zod';

import { fenced, shownLine } from '../../lib/untrusted.ts';
import { defineTool, READ } from '../../mcp/toolset.ts';
import { tag } from '../model.ts';
import type { Finding } from '../search-store.ts';
import type { SearchService } from '../search-service.ts';
import { session, untrusted, withUntrusted } from './shared.ts';

const day = z.string().regex(/^\d{4}(?:-\d{2}(?:-\d{2})?)?$/, 'must be a day such as 2026-03-01, a month or a year');

/** The search. */
export function searchTools(service: SearchService) {
  const search = defineTool('research_search', {
    title: 'Search a research',
    description:
      'Searches sources, quotes, notes and the report at once, the best first: words, "a phrase", begin*, OR, -without, parentheses.',
    behaviour: READ,
    input: z.strictObject({
      query: z.string().min(1).max(1000),
      session,
      all_sessions: z.boolean().default(false),
      kinds: z
        .array(z.enum(['source', 'quote', 'note', 'report']))
        .min(1)
        .max(4)
        .optional(),
      host: z.string().trim().toLowerCase().max(253).optional(),
      since: day.optional(),
      until: day.optional(),
      tag: tag.optional(),
      limit: z.int().min(1).max(30).default(10),
      cursor: z.int().min(0).max(100_000).optional(),
    }),
    output: z.object({
      findings: z.array(
        z.object({
          kind: z.string(),
          id: z.string(),
          source: z.string().optional(),
          session: z.string(),
          part: z.int(),
          offset: z.int().describe('For source_read'),
        }),
      ),
      untrusted,
      next_cursor: z.int().optional(),
    }),
    handle: async (
      { all_sessions, session: within, kinds, host, since, until, tag: marked, cursor, ...input },
      { workspace },
    ) => {
      const { findings, next } = await service.search(workspace, {
        ...input,
        session: all_sessions ? null : within,
        kinds,
        host,
        since,
        until,
        tag: marked,
        cursor,
      });
      return {
        findings: findings.map(({ kind, itemId, key, session: { slug }, part, snippet }) => ({
          kind,
          id: itemId,
          ...(key === undefined ? {} : { source: key }),
          session: slug,
          part,
          offset: snippet.start,
        })),
        untrusted: fenced(findings.map((finding, index) => `${index + 1}. ${shown(finding)}`).join('\n')),
        next_cursor: next,
      };
    },
    text: ({ findings, untrusted: outside, next_cursor }) =>
      findings.length === 0
        ? 'Nothing was found.'
        : withUntrusted(
            [
              ...findings.map(({ kind, id, source, session: slug, part, offset }, index) =>
                kind === 'source'
                  ? `${index + 1}. source ${source ?? id} in ${slug}, part ${part}, offset ${offset}`
                  : `${index + 1}. ${kind} ${id}${source === undefined ? '' : ` of ${source}`} in ${slug}`,
              ),
              next_cursor === undefined ? undefined : `More: cursor ${next_cursor}`,
            ],
            outside,
          ),
  });

  return [search];
}

/** What was found, in brackets. */
function shown({ title, label, snippet, found }: Finding): string {
  let text = '';
  let at = snippet.start;
  const piece = (from: number, to: number) => snippet.text.slice(from - snippet.start, to - snippet.start);
  for (const { start, end } of found) {
    text += `${piece(at, start)}[${piece(start, end)}]`;
    at = end;
  }
  text += piece(at, snippet.end);
  return `${shownLine(title, 150)}${label === '' ? '' : ` (${shownLine(label, 80)})`}: ${shownLine(text, 500)}`;
}
