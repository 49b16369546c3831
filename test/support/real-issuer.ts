import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Provider } from 'oidc-provider';
import { afterAll, beforeAll } from 'vitest';

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

/**
 * An OpenID Connect issuer that is not ours, on another site than Carrel's (127.0.0.1 beside
 * localhost), for the tests of one file. A login `ada` has the verified address ada@example.com;
 * `ada@elsewhere.example` has that one, and `unverified-…` one that nobody has seen to.
 */
export function useRealIssuer(): RealIssuer {
  let url = '';
  let answer: RequestListener = (_request, response) => response.writeHead(503).end();
  const server = createServer((request, response) => {
    // The browser would report its absence as an error of the page.
    if (request.url === '/favicon.ico') response.writeHead(204).end();
    else answer(request, response);
  });
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    get url() {
      return url;
    },
    get setting() {
      return JSON.stringify([
        {
          name: 'campus',
          label: 'Campus',
          issuer: url,
          client_id: CLIENT.client_id,
          client_secret: CLIENT.client_secret,
          groups_claim: 'groups',
        },
      ]);
    },
    register(origin) {
      answer = new Provider(url, {
        clients: [{ ...CLIENT, redirect_uris: [`${origin}/sign-in/campus/callback`] }],
        ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 3600, IdToken: 600, Interaction: 600, Session: 3600 },
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
      }).callback();
    },
  };
}
