import { DurableObject } from 'cloudflare:workers';

import { matchOf } from '../../../src/research/search/query.ts';
import { SEARCH_SCHEMA } from '../../../src/research/search/schema.ts';
import { SearchIndex } from '../../../src/research/search/search-rows.ts';
import { migrate } from '../../../src/workspace/schema.ts';
import { Database } from '../../../src/workspace/sql.ts';
import { makeSource } from './search-corpus.ts';

/** Sources of one session. */
const SESSION = 500;

/** What a workspace keeps for its search, and nothing else. */
export class SearchBench extends DurableObject {
  readonly #db: Database;
  readonly #index: SearchIndex;

  constructor(state: DurableObjectState, env: object) {
    super(state, env);
    this.#db = new Database(state.storage);
    migrate(this.#db, { research_search: SEARCH_SCHEMA }, 0);
    this.#index = new SearchIndex(this.#db);
  }

  /** Adds the sources of those numbers. @returns their characters */
  fill(from: number, count: number): number {
    let characters = 0;
    for (let number = from; number < from + count; number++) {
      const { text, ...source } = makeSource(number);
      characters += text.length;
      const parts = [{ part: 1, label: '', start: 0, text }];
      const [itemId, sessionId] = [`src_${number}`, `ses_${Math.floor(number / SESSION)}`];
      this.#index.put({ ...source, kind: 'source', itemId, sessionId, parts });
    }
    return characters;
  }

  /** @returns the items found by the last of so many searches */
  search(query: string, times: number, sessionId?: string): string[] {
    const match = matchOf(query);
    if (!match) return [];
    let found: string[] = [];
    for (let time = 0; time < times; time++)
      found = this.#index.search({ match, sessionId, limit: 10 }).hits.map(({ itemId }) => itemId);
    return found;
  }

  size(): number {
    return this.ctx.storage.sql.databaseSize;
  }
}

interface Bindings {
  readonly SEARCH: DurableObjectNamespace<SearchBench>;
}

/** `POST /fill`, `/search` and `/size` with JSON, each for the workspace that it names. */
const worker = {
  async fetch(request, env): Promise<Response> {
    if (request.method !== 'POST') return new Response('ready\n');
    const input = (await request.json()) as {
      workspace: string;
      from: number;
      count: number;
      query: string;
      times: number;
      session?: string;
    };
    const workspace = env.SEARCH.getByName(input.workspace);
    switch (new URL(request.url).pathname) {
      case '/fill':
        return Response.json(await workspace.fill(input.from, input.count));
      case '/search':
        return Response.json(await workspace.search(input.query, input.times, input.session));
      default:
        return Response.json(await workspace.size());
    }
  },
} satisfies ExportedHandler<Bindings>;

// oxlint-disable-next-line import/no-default-export -- workerd finds a Worker by its default export
export default worker;
