import type { RequestListener } from 'node:http';

import { Provider } from 'oidc-provider';

import { Browser } from '../../scripts/client/browser.ts';
import { listen } from './listen.ts';

/** What npm `oidc-provider` calls those who have an account: any login, with any password. */
export interface RealIssuer {
  readonly url: string;
  /** OIDC_PROVIDERS for a Carrel that trusts it. */
  readonly setting: string;
  /** Lets a Carrel in as its client, as an operator registers one by hand. */
  register(origin: string): void;
}

const CLIENT = {
  client_id: 'carrel',
  client_secret: 'a-secret-that-both-know',
  token_endpoint_auth_method: 'client_secret_post',
};

/** It warns on each start that it keeps nothing, which is why it is here. */
function withoutWarnings<Result>(make: () => Result): Result {
  const { warn } = console;
  console.warn = () => undefined;
  try {
    return make();
  } finally {
    console.warn = warn;
  }
}

/**
 * An OpenID Connect issuer that is not ours, on another site than Carrel's (127.0.0.1 beside
 * localhost). A login `ada` has the verified address ada@example.com; `ada@elsewhere.example` has
 * that one, and `unverified-…` one that nobody has seen to.
 */
export async function startIssuer(): Promise<RealIssuer & { readonly close: () => void }> {
  let answer: RequestListener = (_request, response) => response.writeHead(503).end();
  const { url, close } = await listen((request, response) => {
    // The browser would report its absence as an error of the page.
    if (request.url === '/favicon.ico') response.writeHead(204).end();
    else answer(request, response);
  });
  const issuer = {
    name: 'campus',
    label: 'Campus',
    issuer: url,
    client_id: CLIENT.client_id,
    client_secret: CLIENT.client_secret,
    groups_claim: 'groups',
  };
  return {
    url,
    close,
    setting: JSON.stringify([issuer]),
    register(origin) {
      const provider = withoutWarnings(
        () =>
          new Provider(url, {
            clients: [{ ...CLIENT, redirect_uris: [`${origin}/sign-in/campus/callback`] }],
            ttl: {
              AccessToken: 600,
              AuthorizationCode: 60,
              Grant: 3600,
              IdToken: 600,
              Interaction: 600,
              Session: 3600,
            },
            cookies: { keys: ['a key of the issuer in this test'] },
            claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
            pkce: { required: () => true },
            findAccount: async (_context, id) => ({
              accountId: id,
              claims: async () => ({
                sub: id,
                email: id.includes('@') ? id : `${id}@example.com`,
                email_verified: !id.startsWith('unverified-'),
                name: id,
                groups: ['everybody'],
              }),
            }),
          }),
      );
      answer = provider.callback();
    },
  };
}

/**
 * Signs in on the issuer's own pages, which ask for an account and then whether Carrel may know it.
 *
 * @returns where the issuer sends the browser back to
 */
export async function signInAtIssuer(issuer: RealIssuer, link: URL, login: string): Promise<URL> {
  const browser = new Browser(issuer.url);
  const asked = await browser.open(link);
  const known = await browser.submit(asked, () => true, { login, password: 'any' });
  const { url, left } = await browser.submit(known, () => true, {});
  if (!left) throw new Error(`the issuer kept the browser at ${url.pathname}`);
  return url;
}
