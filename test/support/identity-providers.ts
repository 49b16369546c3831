import { text } from 'node:stream/consumers';

import { Browser, signInWithEmail } from '../../scripts/client/browser.ts';
import type { BrowserPage } from '../../scripts/client/browser.ts';
import { ownerCode } from '../../scripts/lib/operator.ts';
import { Authenticator } from './authenticator.ts';
import { FakeGithub } from './fake-github.ts';
import type { GithubAccount } from './fake-github.ts';
import { signInAtIssuer, startIssuer } from './issuer.ts';
import { listen } from './listen.ts';

/** The last step of a sign-in: it leads the browser back to where its person wanted to go. */
export type LastStep = () => Promise<BrowserPage>;

/** A provider of identities, as a program goes through it that is no Chromium. */
export interface IdentityProvider {
  /** For a deployment at which people sign in with it. */
  readonly vars: Readonly<Record<string, string>>;
  /**
   * What the operator does once the deployment runs.
   *
   * @param secrets of the deployment
   */
  introduce(origin: string, secrets: Readonly<Record<string, string>>): Promise<void>;
  /**
   * Signs somebody in from the sign-in page, but for the last step. Who comes for the first time is let
   * in as their deployment lets people in; their address is `<login>@example.com`.
   */
  begin(browser: Browser, signInPage: BrowserPage, login: string): Promise<LastStep>;
  readonly close: () => void;
}

/** Turns off what a development server has without being asked; the `vars` of a provider turn it on again. */
export const NO_PROVIDERS = { DEV_SIGN_IN: 'false', PASSKEY_SIGN_IN: 'false' };

/** Starts each provider, or what stands for it on this machine. */
export const START_PROVIDER = {
  dev: async () => developmentSignIn,
  passkey: async () => new Passkeys(),
  oidc: startOidc,
  github: startGithub,
} satisfies Record<string, () => Promise<IdentityProvider>>;

export type ProviderName = keyof typeof START_PROVIDER;

export const PROVIDER_NAMES = ['dev', 'passkey', 'oidc', 'github'] as const satisfies readonly ProviderName[];

const emailOf = (login: string): string => `${login}@example.com`;

const developmentSignIn: IdentityProvider = {
  vars: { DEV_SIGN_IN: 'true' },
  introduce: async () => undefined,
  begin: async (browser, page, login) => () => signInWithEmail(browser, page, emailOf(login)),
  close: () => undefined,
};

/** What a link on the page leads to. */
function linkOf({ body, url }: BrowserPage, path: string): URL {
  const links = [...body.matchAll(/href="([^"]*)"/g)].map(
    ([, href = '']) => new URL(href.replaceAll('&amp;', '&'), url),
  );
  const link = links.find(({ pathname }) => pathname === path);
  if (!link) throw new Error(`the page at ${url.pathname} has no link to ${path}`);
  return link;
}

/**
 * Passkeys of an authenticator in software. The deployment admits nobody by a rule: its owner claims it
 * with a passkey and invites everybody else, who enters with a first one.
 */
class Passkeys implements IdentityProvider {
  readonly vars = { PASSKEY_SIGN_IN: 'true' };
  readonly close = () => undefined;
  readonly #authenticators = new Map<string, Authenticator>();
  #origin = '';
  #owner: Browser | undefined;

  async introduce(origin: string, secrets: Readonly<Record<string, string>>): Promise<void> {
    this.#origin = origin;
    const browser = new Browser(origin);
    const code = await ownerCode(secrets);
    const page = await browser.submit(await browser.open('/claim'), ({ action }) => action === '/claim', { code });
    const enter = await this.#enter(browser, page.url, 'owner');
    await enter();
    this.#owner = browser;
  }

  async begin(browser: Browser, { url }: BrowserPage, login: string): Promise<LastStep> {
    const known = this.#authenticators.get(login);
    if (known) return this.#return(browser, url, known);
    await this.#accept(browser);
    return this.#enter(browser, url, login);
  }

  /** Gives the browser an invitation. */
  async #accept(browser: Browser): Promise<void> {
    if (!this.#owner) throw new Error('nobody owns the deployment yet');
    const page = await this.#owner.open('/admin/people');
    const invitations = '/admin/invitations';
    const made = await this.#owner.submit(page, ({ action }) => action === invitations, { role: 'member', note: '' });
    const path = /\/invite\/[\w-]+/.exec(made.body)?.[0];
    if (path === undefined) throw new Error(`the page of people (${made.status}) shows no invitation`);
    await browser.submit(await browser.open(path), ({ action }) => action === path, {});
  }

  async #enter(browser: Browser, { searchParams }: URL, login: string): Promise<LastStep> {
    const authenticator = await Authenticator.make(this.#origin);
    this.#authenticators.set(login, authenticator);
    const returnTo = searchParams.get('return_to') ?? '/';
    const asked = await this.#ask(browser, '/sign-in/passkey/new/options', {
      address: emailOf(login),
      return_to: returnTo,
    });
    const answer = await authenticator.create(asked);
    return async () => {
      const { location } = await this.#ask(browser, '/sign-in/passkey/new/finish', answer);
      const page = await browser.open(location);
      // A page about recovery codes comes first, with a link that leads on.
      return browser.open(linkOf(page, new URL(returnTo, this.#origin).pathname));
    };
  }

  async #return(browser: Browser, { searchParams }: URL, authenticator: Authenticator): Promise<LastStep> {
    const asked = await this.#ask(browser, '/sign-in/passkey/options', {
      return_to: searchParams.get('return_to') ?? '/',
    });
    const answer = await authenticator.get(asked);
    return async () => {
      const { location } = await this.#ask(browser, '/sign-in/passkey/finish', answer);
      return browser.open(location);
    };
  }

  /** What the script of the page sends. */
  async #ask(browser: Browser, path: string, body: object): Promise<{ challenge: string; location: string }> {
    const page = await browser.open(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { Accept: '*/*', Origin: this.#origin, 'Content-Type': 'application/json' },
    });
    if (page.status !== 200) throw new Error(`${path}: ${page.status} ${page.body}`);
    return JSON.parse(page.body) as { challenge: string; location: string };
  }
}

/** An issuer that is not ours, on this machine. */
async function startOidc(): Promise<IdentityProvider> {
  const issuer = await startIssuer();
  return {
    vars: { OIDC_PROVIDERS: issuer.setting, ADMIT_DOMAINS: 'example.com' },
    introduce: async (origin) => issuer.register(origin),
    async begin(browser, page, login) {
      const { url: link } = await browser.open(linkOf(page, '/sign-in/campus'));
      const callback = await signInAtIssuer(issuer, link, login);
      return () => browser.open(callback);
    },
    close: issuer.close,
  };
}

/** What GitHub does as its documentation says, on this machine: it needs a Worker with `github-elsewhere.ts`. */
async function startGithub(): Promise<IdentityProvider> {
  const github = new FakeGithub();
  const accounts = new Map<string, GithubAccount>();
  const accountOf = (login: string): GithubAccount => {
    const emails = [{ email: emailOf(login), primary: true, verified: true }];
    const account = accounts.get(login) ?? { id: accounts.size + 1, login, emails };
    accounts.set(login, account);
    return account;
  };
  const { url, close } = await listen((request, response) => {
    const answer = async () => {
      const { status, headers, body } = await github.answer({
        method: request.method ?? '',
        path: request.url?.split('?')[0] ?? '',
        headers: new Headers(request.headers as Record<string, string>),
        body: await text(request),
      });
      response.writeHead(status, Object.fromEntries(headers));
      response.end(body === null ? undefined : await new Response(body).text());
    };
    answer().catch(() => response.destroy());
  });
  return {
    vars: {
      GITHUB_CLIENT_ID: 'the-app',
      GITHUB_CLIENT_SECRET: 'the-secret',
      ADMIT_DOMAINS: 'example.com',
      TEST_GITHUB: url,
    },
    introduce: async () => undefined,
    async begin(browser, page, login) {
      const { url: link } = await browser.open(linkOf(page, '/sign-in/github'));
      const callback = github.authorize(link, accountOf(login));
      return () => browser.open(callback);
    },
    close,
  };
}
