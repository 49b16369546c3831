import * as z from 'zod';

import { ask } from './ask.ts';
import { hitsOf } from './hits.ts';
import type { WebSearch, WebSearchAccess } from './model.ts';

const HOST = 'https://api.perplexity.ai';
/** Snippets are whole passages otherwise, thousands of tokens each. */
const SNIPPET_TOKENS = 256;

const answer = z.object({ results: z.array(z.unknown()) });
const result = z.object({
  url: z.string(),
  title: z.string().nullish(),
  snippet: z.string().nullish(),
  date: z.string().nullish(),
});

/**
 * Perplexity Search API: ranked results, no model. (Its models answer as OpenAI's do, see openai.ts.)
 *
 * @see https://docs.perplexity.ai/api-reference/search-post
 */
export function perplexitySearch({ key, baseUrl = HOST }: WebSearchAccess): WebSearch {
  return {
    async search(query, { limit, language, since, signal }) {
      const { results } = await ask({
        service: 'Perplexity',
        url: `${baseUrl}/search`,
        headers: { Authorization: `Bearer ${key}` },
        body: {
          query,
          max_results: limit,
          max_tokens_per_page: SNIPPET_TOKENS,
          ...(language !== undefined && { search_language_filter: [language.slice(0, 2).toLowerCase()] }),
          ...(since !== undefined && { search_after_date_filter: americanDate(since) }),
        },
        answer,
        signal,
      });
      const found = results.flatMap((each) => result.safeParse(each).data ?? []);
      return hitsOf(
        found.map(({ date, ...rest }) => ({ ...rest, published: date })),
        limit,
      );
    },
  };
}

/** `2026-03-09` as `03/09/2026`. */
function americanDate(day: string): string {
  const [year, month, date] = day.split('-');
  return `${month}/${date}/${year}`;
}
