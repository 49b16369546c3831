import * as z from 'zod';

import { ask } from './ask.ts';
import { hitsOf } from './hits.ts';
import type { WebSearch, WebSearchAccess } from './model.ts';

const HOST = 'https://api.tavily.com';

const answer = z.object({ results: z.array(z.unknown()) });
const result = z.object({
  url: z.string(),
  title: z.string().nullish(),
  content: z.string().nullish(),
  published_date: z.string().nullish(),
});

/**
 * Tavily Search. It has no parameter for a language, and says when a page was published for news alone.
 *
 * @see https://docs.tavily.com/documentation/api-reference/endpoint/search
 */
export function tavilySearch({ key, baseUrl = HOST }: WebSearchAccess): WebSearch {
  return {
    async search(query, { limit, since, signal }) {
      const { results } = await ask({
        service: 'Tavily',
        url: `${baseUrl}/search`,
        headers: { Authorization: `Bearer ${key}` },
        body: {
          query,
          max_results: limit,
          search_depth: 'basic',
          ...(since !== undefined && { start_date: since }),
        },
        answer,
        signal,
      });
      const found = results.flatMap((each) => result.safeParse(each).data ?? []);
      return hitsOf(
        found.map(({ url, title, content, published_date }) => ({
          url,
          title,
          snippet: content,
          published: published_date,
        })),
        limit,
      );
    },
  };
}
