/**
 * What a client sends and what must come back, step by step, as it was seen by people who run servers.
 *
 * `{name}` in any text stands for a value: `{origin}`, `{mcp}`, `{challenge}`, `{verifier}`, `{state}`
 * are there from the start, everything else is what a step before has kept.
 */
export interface Transcript {
  readonly client: string;
  readonly steps: readonly Step[];
}

export type Step = Exchange | Visit;

interface Told {
  /** What the client does, and what goes wrong for its people where a server does not know it. */
  readonly does: string;
  /** The public issue or source in which that was seen. */
  readonly seen?: string;
}

/** A request and its answer. */
export interface Exchange extends Told {
  /** Method and address, absolute or of this server. */
  readonly request: string;
  /** With undefined the header is not sent, not even the one that fetch would add. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly query?: Fields;
  readonly form?: Fields;
  readonly json?: unknown;
  /** Sends it so often at once; every answer must be as below, and all of them alike. */
  readonly atOnce?: number;
  readonly answer: Answer;
  /** Names for values of the answer: a path into its JSON, or `header:` and the name of a header. */
  readonly keep?: Readonly<Record<string, string>>;
}

/** A person follows the client's link in a browser, signs in, and allows all. */
export interface Visit extends Told {
  readonly visit: string;
  readonly query: Fields;
  /** The address at which the browser leaves, with `code`, `state` and `iss`; the code is kept as `{code}`. */
  readonly lands: string;
}

export type Fields = Readonly<Record<string, string>>;

export interface Answer {
  readonly status: number;
  /** What each header is; null says that it is not there. */
  readonly headers?: Readonly<Record<string, string | RegExp | null>>;
  /** What the JSON holds at least; of an event stream, its only message. */
  readonly json?: unknown;
  /** What the text of a page says. */
  readonly text?: RegExp;
}

/** A request of the 2025-era protocol. */
export const rpc = (method: string, params: unknown = {}, id: number | string = 1) => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
});

/** What a client asks of the page where its person decides. */
export const authorization = (redirect: string, more: Fields = {}): Fields => ({
  response_type: 'code',
  client_id: '{client}',
  redirect_uri: redirect,
  state: '{state}',
  code_challenge: '{challenge}',
  code_challenge_method: 'S256',
  ...more,
});

export const redemption = (redirect: string, more: Fields = {}): Fields => ({
  grant_type: 'authorization_code',
  code: '{code}',
  redirect_uri: redirect,
  client_id: '{client}',
  code_verifier: '{verifier}',
  ...more,
});

export const BEARER = 'Bearer {access}';
export const JSON_BODY = 'application/json';
export const JSON_OR_EVENTS = 'application/json, text/event-stream';

/** The challenge that says where to sign in. It leads to the metadata of the address that was asked. */
export const CHALLENGE =
  /^Bearer .*resource_metadata="{origin}\/\.well-known\/oauth-protected-resource\/mcp".*scope="sessions:read /;

/** A 404 that a client may parse without looking at its status. */
export const JSON_404: Answer = {
  status: 404,
  headers: { 'content-type': /json$/, location: null },
  json: { status: 404 },
};

/** How an app without surprises registers, signs in and gets its tokens. */
export const signIn = (name: string, redirect: string, headers: Record<string, string> = {}): Step[] => [
  {
    does: 'registers',
    request: 'POST /register',
    headers,
    json: { client_name: name, redirect_uris: [redirect], token_endpoint_auth_method: 'none' },
    answer: { status: 201 },
    keep: { client: 'client_id' },
  },
  {
    does: 'sends its person to sign in',
    visit: '/authorize',
    query: authorization(redirect, { resource: '{mcp}' }),
    lands: redirect,
  },
  {
    does: 'redeems the code',
    request: 'POST /token',
    headers,
    form: redemption(redirect, { resource: '{mcp}' }),
    answer: { status: 200 },
    keep: { access: 'access_token', refresh: 'refresh_token' },
  },
];
