import { env } from 'cloudflare:workers';
import { beforeEach, vi } from 'vitest';

import { Browser } from '../../scripts/client/browser.ts';
import type { BrowserPage } from '../../scripts/client/browser.ts';
import { createApp } from '../../src/app.ts';
import type { App, Bindings } from '../../src/app.ts';
import { AuditRepo } from '../../src/directory/audit-repo.ts';
import type { AuditLine } from '../../src/directory/types.ts';
import { FakeIssuer } from './fake-issuer.ts';
import { ORIGIN } from './person.ts';
import { TEST_TOOLSETS } from './toolsets.ts';

const bindings = env as unknown as Bindings;

export const ISSUER = 'https://id.example';

/** An entry of OIDC_PROVIDERS. */
export const configured = (name: string, issuer = ISSUER) => ({
  name,
  label: name === 'campus' ? 'Campus' : 'Other',
  issuer,
  client_id: 'carrel',
  client_secret: 'the-secret',
  groups_claim: 'groups',
});

/** Another isolate of one deployment: it remembers nothing of an issuer. */
export function startApp(vars: Record<string, unknown> = {}): App {
  const OIDC_PROVIDERS = JSON.stringify([configured('campus'), configured('other')]);
  const settings = { DEV_SIGN_IN: '', ADMIT_DOMAINS: 'example.com', ADMIT_GROUPS: 'staff', OIDC_PROVIDERS };
  return createApp({ ...bindings, ...settings, ...vars }, TEST_TOOLSETS);
}

export const browserAt = (app: App) => new Browser(ORIGIN, async (url, init) => app.fetch(new Request(url, init)));

export const audit = new AuditRepo(bindings.DIRECTORY);

export async function lastLine(): Promise<AuditLine | undefined> {
  return (await audit.list({ since: 0, limit: 1 }))[0];
}

/** The refusal of a page, as the audit has it: `campus: wrong_nonce`. Whatever is not as it should be stands behind it. */
export async function refusalOf(browser: Browser, page: BrowserPage): Promise<string> {
  const line = await lastLine();
  const { provider, reason } = line?.action === 'sign_in_refused' ? line.detail : {};
  const faults = {
    [`status ${page.status}`]: page.status !== 400,
    'the page says nothing': !page.body.includes('role="alert"'),
    // What the providers of these tests say in their own words.
    "the page says what the provider's answer says": page.body.includes('0900'),
    'signed in': browser.cookieHeader().includes('carrel-session='),
  };
  return [`${provider}: ${reason}`, ...Object.keys(faults).filter((fault) => faults[fault])].join(', ');
}

let people = 0;

/** Somebody whom the rules let in, as their issuer knows them. */
export const somebody = () => ({ sub: `sub-${++people}`, email: `person-${people}@example.com`, email_verified: true });

/** A deployment with an issuer called `campus`, and a person at it. */
class Campus {
  app!: App;
  browser!: Browser;
  issuer!: FakeIssuer;

  async reset(): Promise<void> {
    this.app = startApp();
    this.browser = browserAt(this.app);
    this.issuer = await FakeIssuer.create(ISSUER);
    vi.restoreAllMocks();
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (address, init) =>
      this.issuer.fetch(new Request(address).url, init),
    );
  }

  newBrowser(): Browser {
    return browserAt(this.app);
  }

  /** @returns where the link of the sign-in page leads */
  async begin(browser = this.browser): Promise<URL> {
    const page = await browser.open('/sign-in/campus?return_to=%2F%3Fback');
    if (!page.left) throw new Error(`the sign-in did not begin: status ${page.status}`);
    return page.url;
  }

  async signIn(claims: Record<string, unknown>, browser = this.browser): Promise<BrowserPage> {
    return browser.open(this.issuer.authorize(await this.begin(browser), claims));
  }

  async refusal(page: BrowserPage): Promise<string> {
    return refusalOf(this.browser, page);
  }
}

/** A new one for each test of a file. */
export function useCampus(): Campus {
  const campus = new Campus();
  beforeEach(async () => campus.reset());
  return campus;
}
