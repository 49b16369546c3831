import { CarrelError } from '../lib/errors.ts';
import type { OpenWorkspace } from '../workspace/client.ts';
import { matchOf } from './search/query.ts';
import type { ItemKind } from './search/search-rows.ts';
import type { Findings } from './search-store.ts';

export interface SearchQuery {
  readonly query: string;
  /** Undefined for the default session, null for all. */
  readonly session: string | null | undefined;
  readonly kinds: readonly ItemKind[] | undefined;
  readonly host: string | undefined;
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly tag: string | undefined;
  readonly limit: number;
  readonly cursor: number | undefined;
}

/** The search of what a person's researches have. */
export class SearchService {
  /** @throws CarrelError `invalid_input` for a query without a word, `not_found` for the session */
  async search(
    { findings }: Pick<OpenWorkspace, 'findings'>,
    { query, session, ...filters }: SearchQuery,
  ): Promise<Findings> {
    const match = matchOf(query);
    if (!match)
      throw new CarrelError('invalid_input', 'The query asks for no word. Give one, or a phrase in quotation marks.');
    return findings.search(session, { match, ...filters });
  }
}
