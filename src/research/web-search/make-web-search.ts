import type { Settings } from '../../settings.ts';
import type { WebSearch } from './model.ts';

/** The service that the operator chose, or undefined. Its adapter is loaded with the first search. */
export function makeWebSearch({ webSearch }: Pick<Settings, 'webSearch'>): WebSearch | undefined {
  if (!webSearch) return undefined;
  const { provider, key, baseUrl, model } = webSearch;
  const load = async (): Promise<WebSearch> => {
    switch (provider) {
      case 'brave':
        return (await import('./brave.ts')).braveSearch({ key, baseUrl });
      case 'tavily':
        return (await import('./tavily.ts')).tavilySearch({ key, baseUrl });
      case 'perplexity':
        return (await import('./perplexity.ts')).perplexitySearch({ key, baseUrl });
      case 'openai':
        return (await import('./openai.ts')).openaiSearch({ key, baseUrl: baseUrl ?? '', model });
    }
  };
  return { search: async (query, options) => (await load()).search(query, options) };
}
