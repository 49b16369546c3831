import * as z from 'zod';

import { CarrelError } from '../../lib/errors.ts';
import { ask } from './ask.ts';
import { hitsOf } from './hits.ts';
import type { WebSearch, WebSearchAccess } from './model.ts';

const SERVICE = 'Brave Search';
const HOST = 'https://api.search.brave.com';
const MAX_WORDS = 50;

/** `web` is absent where nothing was found. */
const answer = z.object({
  type: z.literal('search'),
  web: z.object({ results: z.array(z.unknown()) }).nullish(),
});
const result = z.object({
  url: z.string(),
  title: z.string().nullish(),
  description: z.string().nullish(),
  page_age: z.string().nullish(),
});
const refused = z.object({ error: z.object({ code: z.enum(['SUBSCRIPTION_TOKEN_INVALID']) }) });

/**
 * Brave Search API, web search.
 *
 * @see https://api-dashboard.search.brave.com/api-reference/web/search/get
 */
export function braveSearch({ key, baseUrl = HOST }: WebSearchAccess): WebSearch {
  return {
    async search(query, { limit, language, since, signal }) {
      if (query.trim().split(/\s+/).length > MAX_WORDS)
        throw new CarrelError('invalid_input', `${SERVICE} takes at most ${MAX_WORDS} words.`);
      const parameters = new URLSearchParams({
        q: query,
        count: String(limit),
        // Otherwise the United States.
        country: 'ALL',
        text_decorations: 'false',
        result_filter: 'web',
      });
      const searchLanguage = languageOf(language);
      if (searchLanguage !== undefined) parameters.set('search_lang', searchLanguage);
      if (since !== undefined) parameters.set('freshness', `${since}to${lastDay(since)}`);
      const { web } = await ask({
        service: SERVICE,
        url: `${baseUrl}/res/v1/web/search?${parameters.toString()}`,
        headers: { 'X-Subscription-Token': key },
        answer,
        signal,
        // A wrong key is answered as a wrong parameter is, with 422.
        refusesKey: (body) => refused.safeParse(body).success,
        pause: pauseOf,
      });
      const found = (web?.results ?? []).flatMap((each) => result.safeParse(each).data ?? []);
      return hitsOf(
        found.map(({ url, title, description, page_age }) => ({
          url,
          title: unescaped(title ?? ''),
          snippet: unescaped(description ?? ''),
          published: page_age,
        })),
        limit,
      );
    },
  };
}

/** A range has to end, and not before it begins. */
function lastDay(since: string): string {
  const today = new Date().toISOString().slice(0, 10);
  return since > today ? since : today;
}

/** Those that `search_lang` takes. Another one would be refused. */
const LANGUAGES: ReadonlySet<string> = new Set(
  (
    'ar eu bn bg ca zh-hans zh-hant hr cs da nl en en-gb et fi fr gl de gu he hi hu is it jp kn ko lv lt ms ml mr nb ' +
    'pl pt-br pt-pt pa ro ru sr sk sl es sv ta te th tr uk vi'
  ).split(' '),
);
/** Where they are called otherwise there than in BCP 47. */
const OTHERWISE: Readonly<Record<string, string>> = {
  ja: 'jp',
  no: 'nb',
  pt: 'pt-pt',
  zh: 'zh-hans',
  'zh-tw': 'zh-hant',
  'zh-hk': 'zh-hant',
};

function languageOf(tag = ''): string | undefined {
  const whole = tag.toLowerCase();
  const [base = ''] = whole.split('-');
  return [whole, base].map((each) => OTHERWISE[each] ?? each).find((each) => LANGUAGES.has(each));
}

/** The longest window of those that are used up: `X-RateLimit-Remaining: 0, 812` and `X-RateLimit-Reset: 1, 1419704` are 1. */
function pauseOf(headers: Headers): number | undefined {
  const [remaining = [], resets = []] = ['Remaining', 'Reset'].map((name) =>
    (headers.get(`X-RateLimit-${name}`) ?? '').split(',').map(Number),
  );
  const waits = resets.filter(
    (seconds, index) => remaining[index] === 0 && seconds > 0 && Number.isSafeInteger(seconds),
  );
  return waits.length === 0 ? undefined : Math.max(...waits);
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'" };

/** Titles and descriptions come escaped for HTML. */
function unescaped(text: string): string {
  return text.replaceAll(/&(amp|lt|gt|quot|#39|#x27);/g, (entity, name: string) => ENTITIES[name] ?? entity);
}
