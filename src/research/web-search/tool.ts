import * as z from 'zod';

import { CarrelError } from '../../lib/errors.ts';
import { FENCE_NOTE, fenced, shownLine } from '../../lib/untrusted.ts';
import { defineTool, READ } from '../../mcp/toolset.ts';
import { GO_ON, MAX_WEB_HITS, MAX_WEB_QUERY } from './model.ts';
import type { WebHit, WebSearch } from './model.ts';

/** Characters. With as many results and addresses as there can be, an answer stays within what a tool may say. */
const TITLE = 150;
const SNIPPET = 300;

/** @param search undefined where the operator has set no service */
export function webSearchTool(search: WebSearch | undefined) {
  return defineTool('web_search', {
    title: 'Search the web',
    description: 'Searches the web for pages to read: source_add takes their addresses.',
    behaviour: { ...READ, openWorld: true },
    input: z.strictObject({
      query: z.string().trim().min(1).max(MAX_WEB_QUERY),
      limit: z.int().min(1).max(MAX_WEB_HITS).default(10),
      since: z.iso.date().optional().describe('Published on that day or later'),
      language: z
        .string()
        .regex(/^[a-z]{2}(-[a-z]{2,4})?$/i, 'must be a language such as de or pt-BR')
        .optional(),
    }),
    output: z.object({
      results: z.array(z.object({ url: z.string() })),
      untrusted: z.string().describe('Their titles and excerpts, by number'),
    }),
    handle: async ({ query, ...options }, { signal }) => {
      if (!search)
        throw new CarrelError(
          'unsupported',
          `This deployment has no web search. ${GO_ON} Whoever runs it can set WEB_SEARCH.`,
        );
      const hits = await search.search(query, { ...options, signal });
      return {
        results: hits.map(({ url }) => ({ url })),
        untrusted: hits.length === 0 ? '' : `${FENCE_NOTE}\n${fenced(hits.map(described).join('\n'))}`,
      };
    },
    text: ({ results, untrusted }) =>
      results.length === 0
        ? 'Nothing was found.'
        : [...results.map(({ url }, index) => `${index + 1}. ${url}`), '', untrusted].join('\n'),
  });
}

function described({ title, snippet, published }: WebHit, index: number): string {
  const heading = `${index + 1}. ${shownLine(title, TITLE)}${published === undefined ? '' : ` (${published})`}`;
  return snippet.trim() === '' ? heading : `${heading}\n${shownLine(snippet, SNIPPET)}`;
}
