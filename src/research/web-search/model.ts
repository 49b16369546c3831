/** Results of one search, at most: as many as each of the services gives. */
export const MAX_WEB_HITS = 20;
/** Characters of a query. Brave and Tavily take no more. */
export const MAX_WEB_QUERY = 400;

/** What to do where a search fails. It stands in messages that a model reads. */
export const GO_ON = 'Search with a web search of your own, and give the addresses to source_add.';

/** A page that a service has found. Everything in it came from outside. */
export interface WebHit {
  /** Of http or https, as the URL parser writes it: ASCII without spaces, quotes and control characters. */
  readonly url: string;
  readonly title: string;
  /** What the service says of the page: mostly a passage of it, sometimes its own words. Nothing to quote. */
  readonly snippet: string;
  /** `2026-03-09`, where the service knows. */
  readonly published?: string;
}

export interface WebSearchOptions {
  /** 1 to {@link MAX_WEB_HITS}. Fewer may come. */
  readonly limit: number;
  /** BCP 47: `de`, `pt-BR`. A wish; some services know none. */
  readonly language?: string | undefined;
  /** `2026-03-09`: only what was published on that day or later, as far as the service knows. */
  readonly since?: string | undefined;
  readonly signal: AbortSignal;
}

/** A service that searches the web. */
export interface WebSearch {
  /**
   * @throws CarrelError `unavailable` (no answer, or none that can be read; a key that the service refuses, with `reason`
   *   `wrong_key`), `limit_exceeded` (with `retry_after` in seconds where waiting helps), `invalid_input`
   */
  search(query: string, options: WebSearchOptions): Promise<WebHit[]>;
}

/** What an adapter is made with. */
export interface WebSearchAccess {
  readonly key: string;
  /** In place of the service's own address: a proxy, or a test. Without a slash at the end. */
  readonly baseUrl?: string | undefined;
}
