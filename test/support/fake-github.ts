import { toBase64Url, utf8 } from '../../src/lib/encoding.ts';

export interface GithubAccount {
  readonly id: number;
  readonly login: string;
  readonly emails: readonly { readonly email: string; readonly primary: boolean; readonly verified: boolean }[];
  /** Organisations by name in lower case, and whether the invitation was accepted. */
  readonly organisations?: Readonly<Record<string, 'active' | 'pending'>>;
}

interface GithubRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

/** What GitHub does with an OAuth app, as its documentation says. */
export class FakeGithub {
  /** Every `METHOD path` it was asked for. */
  readonly asked: string[] = [];
  /** Tokens that still open something. */
  readonly tokens = new Map<string, GithubAccount>();
  /** Answers instead of its own, by path. */
  readonly answers = new Map<string, () => Response>();
  readonly #codes = new Map<string, { request: URLSearchParams; account: GithubAccount }>();

  /** @returns where the browser of somebody who agreed is sent back to */
  authorize(link: URL, account: GithubAccount): URL {
    const code = crypto.randomUUID();
    this.#codes.set(code, { request: link.searchParams, account });
    const callback = new URL(link.searchParams.get('redirect_uri') ?? '');
    callback.search = new URLSearchParams({ code, state: link.searchParams.get('state') ?? '' }).toString();
    return callback;
  }

  async answer({ method, path, headers, body }: GithubRequest): Promise<Response> {
    this.asked.push(`${method} ${path}`);
    const own = this.answers.get(path);
    if (own) return own();
    if (path === '/login/oauth/access_token') return this.#redeem(new URLSearchParams(body));
    if ((headers.get('User-Agent') ?? '') === '') return Response.json({ message: 'who asks?' }, { status: 403 });
    if (method === 'DELETE') {
      if (headers.get('Authorization') !== `Basic ${btoa('the-app:the-secret')}`)
        return new Response('', { status: 401 });
      this.tokens.delete((JSON.parse(body) as { access_token: string }).access_token);
      return new Response(null, { status: 204 });
    }
    const account = this.tokens.get(headers.get('Authorization')?.replace('Bearer ', '') ?? '');
    if (!account) return Response.json({ message: 'Bad credentials' }, { status: 401 });
    if (path === '/user') return Response.json({ id: account.id, login: account.login, email: 'public@example.com' });
    if (path === '/user/emails') return Response.json(account.emails);
    const name = /^\/user\/memberships\/orgs\/([\w-]+)$/.exec(path)?.[1] ?? '';
    const state = account.organisations?.[name];
    return state === undefined
      ? Response.json({ message: 'Not Found' }, { status: 404 })
      : Response.json({ state, organization: { login: name.toUpperCase() } });
  }

  async #redeem(form: URLSearchParams): Promise<Response> {
    // GitHub says so with status 200.
    const refused = (error: string) => Response.json({ error, error_description: 'Call 0900-STEAL' });
    if (form.get('client_secret') !== 'the-secret') return refused('incorrect_client_credentials');
    const known = this.#codes.get(form.get('code') ?? '');
    this.#codes.delete(form.get('code') ?? '');
    const digest = await crypto.subtle.digest('SHA-256', utf8(form.get('code_verifier') ?? ''));
    if (!known || toBase64Url(new Uint8Array(digest)) !== known.request.get('code_challenge'))
      return refused('bad_verification_code');
    const token = `gho_${crypto.randomUUID()}`;
    this.tokens.set(token, known.account);
    return Response.json({ access_token: token, token_type: 'bearer', scope: 'user:email' });
  }

  /** In the place of the global `fetch`, at GitHub's own addresses. */
  readonly fetch = async (address: string, init: RequestInit = {}): Promise<Response> => {
    const { origin, pathname } = new URL(address);
    if (origin !== (pathname.startsWith('/login/') ? 'https://github.com' : 'https://api.github.com'))
      throw new TypeError('nobody is there');
    const body =
      init.body instanceof URLSearchParams ? init.body.toString() : typeof init.body === 'string' ? init.body : '';
    return this.answer({ method: init.method ?? 'GET', path: pathname, headers: new Headers(init.headers), body });
  };
}
