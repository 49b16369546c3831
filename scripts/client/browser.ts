import { htmlForms } from './html-forms.ts';
import type { HtmlForm } from './html-forms.ts';

/** A page that the browser stands at, or the address outside of the deployment that it was sent to. */
export interface BrowserPage {
  readonly url: URL;
  readonly status: number;
  readonly body: string;
  /** Whether it left the deployment: nothing was fetched there. */
  readonly left: boolean;
}

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A browser without scripts, for one person: cookies, forms, redirects. It never leaves its origin. */
export class Browser {
  readonly #origin: string;
  readonly #fetch: Fetch;
  readonly #cookies = new Map<string, string>();

  constructor(origin: string, fetch: Fetch = globalThis.fetch) {
    this.#origin = origin;
    this.#fetch = fetch;
  }

  async open(address: string | URL, init: RequestInit = {}): Promise<BrowserPage> {
    let url = new URL(address, this.#origin);
    let request = init;
    for (let hops = 0; hops < 10; hops++) {
      if (url.origin !== this.#origin) return { url, status: 0, body: '', left: true };
      const response = await this.#fetch(url.href, {
        ...request,
        redirect: 'manual',
        headers: { Accept: 'text/html', Cookie: this.cookieHeader(), ...(request.headers as Record<string, string>) },
      });
      this.#keepCookies(response);
      const location = response.headers.get('Location');
      if (location === null || response.status < 300 || response.status > 399)
        return { url, status: response.status, body: await response.text(), left: false };
      await response.body?.cancel();
      url = new URL(location, url);
      request = {};
    }
    throw new Error(`too many redirects, the last one to ${url.pathname}`);
  }

  /** Sends a form as it stands, with changes: a text, a list for repeated fields, or undefined to leave it out. */
  async submit(
    page: BrowserPage,
    pick: (form: HtmlForm) => boolean,
    changes: Record<string, string | readonly string[] | undefined>,
  ): Promise<BrowserPage> {
    const form = htmlForms(page.body).find(pick);
    if (!form) throw new Error(`the page at ${page.url.pathname} (${page.status}) has no such form`);
    const sent = new URLSearchParams();
    for (const { name, value, type, checked } of form.fields) {
      const chosen = type === 'checkbox' ? checked : type !== 'submit';
      if (name !== '' && chosen && !(name in changes)) sent.append(name, value);
    }
    for (const [name, value] of Object.entries(changes))
      for (const each of typeof value === 'string' ? [value] : (value ?? [])) sent.append(name, each);
    return this.open(new URL(form.action, page.url), {
      method: 'POST',
      body: sent.toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: this.#origin },
    });
  }

  cookieHeader(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  #keepCookies(response: Response): void {
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = '', ...rest] = cookie.split(';');
      const [name = '', value = ''] = pair.split('=', 2);
      if (rest.some((part) => part.trim().toLowerCase() === 'max-age=0')) this.#cookies.delete(name.trim());
      else this.#cookies.set(name.trim(), value.trim());
    }
  }
}

const has = (name: string) => (form: HtmlForm) => form.fields.some((field) => field.name === name);

/** Signs in with the development sign-in, wherever the page that asks for it is. */
export async function signInWithEmail(browser: Browser, page: BrowserPage, email: string): Promise<BrowserPage> {
  return browser.submit(page, has('email'), { email });
}

/** The scopes that a consent page offers, with what is ticked. */
export function offeredScopes(page: BrowserPage): { name: string; checked: boolean }[] {
  const form = htmlForms(page.body).find(has('handle'));
  return (form?.fields ?? [])
    .filter((field) => field.name === 'scope')
    .map(({ value, checked }) => ({ name: value, checked }));
}

/** Answers the consent page. */
export async function decide(
  browser: Browser,
  page: BrowserPage,
  decision: 'approve' | 'deny',
  changes: { scopes?: readonly string[]; remember?: boolean } = {},
): Promise<BrowserPage> {
  return browser.submit(page, has('handle'), {
    decision,
    ...(changes.scopes ? { scope: changes.scopes } : {}),
    ...(changes.remember ? { remember: 'yes' } : {}),
  });
}

/** The way of a person from a client's link to the address with the code: signs in if asked, and allows. */
export async function approve(
  browser: Browser,
  authorizationUrl: string | URL,
  email: string,
  changes: { scopes?: readonly string[]; remember?: boolean } = {},
): Promise<URL> {
  let page = await browser.open(authorizationUrl);
  if (page.url.pathname === '/sign-in') page = await signInWithEmail(browser, page, email);
  if (!page.left) page = await decide(browser, page, 'approve', changes);
  if (!page.left) throw new Error(`the browser stayed at ${page.url.pathname} with status ${page.status}`);
  return page.url;
}
