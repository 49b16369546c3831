import { afterAll, beforeAll } from 'vitest';

import { Browser } from '../../../scripts/client/browser.ts';
import type { BrowserPage } from '../../../scripts/client/browser.ts';
import { NO_PROVIDERS, START_PROVIDER } from '../../support/identity-providers.ts';
import type { IdentityProvider, LastStep, ProviderName } from '../../support/identity-providers.ts';
import { OAuthClient, registered } from '../../support/oauth-client.ts';
import type { Server } from '../../support/oauth-client.ts';
import { Deployment } from './deployment.ts';

/**
 * GitHub's addresses are constants, so no setting leads the real bundle to this machine. This one is
 * built like it of the same modules, with a toolset that nobody calls and something before `fetch`.
 */
const WITH_GITHUB = 'test/conformance/worker.ts';

/** A deployment at which people sign in with one provider, for the tests of a `describe`. */
export class ProviderDeployment {
  readonly #name: ProviderName;
  #provider: IdentityProvider | undefined;
  #deployment: Deployment | undefined;

  constructor(name: ProviderName) {
    this.#name = name;
  }

  get #running(): { provider: IdentityProvider; deployment: Deployment } {
    if (!this.#provider || !this.#deployment) throw new Error('the deployment has not started yet');
    return { provider: this.#provider, deployment: this.#deployment };
  }

  get mcpUrl(): string {
    return this.#running.deployment.mcpUrl;
  }

  async start(): Promise<void> {
    this.#provider = await START_PROVIDER[this.#name]();
    const vars = { ...NO_PROVIDERS, ...this.#provider.vars };
    this.#deployment = new Deployment(vars, this.#name === 'github' ? WITH_GITHUB : undefined);
    await this.#deployment.start();
    await this.#provider.introduce(this.#deployment.origin, this.#deployment.secrets);
  }

  /** `kill -9` of the server, and a start over what it left. The provider runs on. */
  async cutPower(): Promise<void> {
    const { deployment } = this.#running;
    await deployment.kill();
    await deployment.startAgain();
  }

  async remove(): Promise<void> {
    await this.#deployment?.remove();
    this.#provider?.close();
  }

  async registerClient(): Promise<OAuthClient> {
    const { origin } = this.#running.deployment;
    const send: Server['send'] = async (address, init) => fetch(address, { redirect: 'manual', ...init });
    const server: Server = { origin, send };
    return new OAuthClient(server, await registered(server));
  }

  newBrowser(): Browser {
    return new Browser(this.#running.deployment.origin);
  }

  /** Begins to sign somebody in on the sign-in page. */
  async begin(browser: Browser, page: BrowserPage, login: string): Promise<LastStep> {
    if (page.url.pathname !== '/sign-in') throw new Error(`this is no sign-in page: ${page.url.pathname}`);
    return this.#running.provider.begin(browser, page, login);
  }
}

/** A deployment that runs from before the first test of the `describe` to after its last. */
export function useProviderDeployment(name: ProviderName): ProviderDeployment {
  const deployment = new ProviderDeployment(name);
  beforeAll(() => deployment.start());
  afterAll(() => deployment.remove());
  return deployment;
}
