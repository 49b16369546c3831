import * as z from 'zod';

import { ask } from './ask.ts';
import { hitsOf } from './hits.ts';
import type { Found } from './hits.ts';
import type { WebSearch, WebSearchAccess } from './model.ts';

/** A model reads what it found before it answers; clients give up after a minute. */
const ANSWER_MS = 45_000;

const answer = z.object({
  choices: z
    .array(
      z.object({ message: z.object({ content: z.string().nullish(), annotations: z.array(z.unknown()).nullish() }) }),
    )
    .min(1),
  search_results: z.array(z.unknown()).nullish(),
  citations: z.array(z.unknown()).nullish(),
});
/** Of OpenAI, and of those that answer as it does. `content` is OpenRouter's, a passage of the page. */
const annotation = z.object({
  type: z.literal('url_citation'),
  url_citation: z.object({
    url: z.string(),
    title: z.string().nullish(),
    content: z.string().nullish(),
    start_index: z.number().nullish(),
  }),
});
/** Of Perplexity's models: all that was found, cited or not. */
const searchResult = z.object({
  url: z.string(),
  title: z.string().nullish(),
  snippet: z.string().nullish(),
  date: z.string().nullish(),
});

/**
 * A model that searches the web, asked as OpenAI's chat completions are: OpenAI itself, OpenRouter, Perplexity's models,
 * and gateways before them. What it says is not used, only what it cites.
 *
 * @see https://developers.openai.com/api/docs/guides/tools-web-search (Chat Completions)
 * @see https://openrouter.ai/docs/features/web-search
 * @see https://docs.perplexity.ai/docs/sonar/openai-compatibility
 */
export function openaiSearch({
  key,
  baseUrl,
  model,
}: WebSearchAccess & { readonly baseUrl: string; readonly model: string }): WebSearch {
  return {
    async search(query, { limit, language, since, signal }) {
      const { choices, search_results, citations } = await ask({
        service: 'The model for web search',
        url: `${baseUrl}/chat/completions`,
        headers: { Authorization: `Bearer ${key}` },
        body: {
          model,
          messages: [
            { role: 'system', content: instruction(limit, language, since) },
            { role: 'user', content: query },
          ],
          web_search_options: {},
        },
        answer,
        signal,
        timeoutMs: ANSWER_MS,
      });
      const { content, annotations } = choices[0]?.message ?? {};
      const listed = (search_results ?? []).flatMap((each) => searchResult.safeParse(each).data ?? []);
      const cited = (annotations ?? []).flatMap((each) => annotation.safeParse(each).data?.url_citation ?? []);
      const bare = (citations ?? []).filter((each) => typeof each === 'string');
      return hitsOf(
        [
          ...listed.map(({ date, ...rest }): Found => ({ ...rest, published: date })),
          ...cited.map(({ url, title, content: passage, start_index }): Found => ({
            url,
            title,
            snippet: passage ?? sentenceBefore(content ?? '', start_index ?? 0),
          })),
          ...bare.map((url): Found => ({ url })),
        ],
        limit,
      );
    },
  };
}

function instruction(limit: number, language: string | undefined, since: string | undefined): string {
  return [
    `Search the web for what the user asks. List up to ${limit} pages that answer it best, each with a citation and one sentence that says what is in it. Nothing else.`,
    ...(language === undefined ? [] : [`Only pages in this language (BCP 47): ${language}.`]),
    ...(since === undefined ? [] : [`Only pages published on ${since} or later.`]),
  ].join(' ');
}

/** UTF-16 code units of the answer before a citation that are looked at. */
const BEFORE = 400;

/** What the model says on the line of a citation, without the citations before it: `([example.com](https://…))`. */
function sentenceBefore(content: string, index: number): string {
  const line =
    content
      .slice(Math.max(0, index - BEFORE), Math.max(0, index))
      .split('\n')
      .at(-1) ?? '';
  return line
    .replaceAll(/\(?\[[^[\]]*\]\([^()\s]*\)\)?/g, '')
    .replace(/^\s*(?:[-*]|\d+\.)\s+/, '')
    .trim();
}
