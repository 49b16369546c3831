import { env } from 'cloudflare:workers';

import { signInWithEmail } from '../../scripts/client/browser.ts';
import type { Browser } from '../../scripts/client/browser.ts';
import type { Bindings } from '../../src/app.ts';
import { Authenticator } from './authenticator.ts';
import type { Lies } from './authenticator.ts';
import { ORIGIN, Person } from './person.ts';

const bindings = env as unknown as Bindings;

export interface Said {
  readonly status: number;
  readonly body: Record<string, unknown> & { readonly challenge: string };
}

/** What our script sends, in a browser, and what it is told. */
export async function script(
  browser: Browser,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Said> {
  const page = await browser.open(path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { Accept: '*/*', Origin: ORIGIN, 'Content-Type': 'application/json', ...headers },
  });
  return { status: page.status, body: JSON.parse(page.body) as Said['body'] };
}

export const newBrowser = (): Browser => new Person().browser;

/** A browser with a person who signed in with the development sign-in. */
export async function signedIn(email: string): Promise<Browser> {
  const browser = newBrowser();
  await signInWithEmail(browser, await browser.open('/sign-in'), email);
  return browser;
}

/** Adds a passkey to whoever is signed in. */
export async function add(browser: Browser, lies: Lies = {}, name = 'Desk', made?: Authenticator) {
  const key = made ?? (await Authenticator.make(ORIGIN));
  const begun = await script(browser, '/account/passkeys/new/options', { name });
  const done = await script(browser, '/account/passkeys/new/finish', await key.create(begun.body, lies));
  return { key, begun, done };
}

/** Makes a first passkey for somebody who is not known yet. */
export async function enter(browser: Browser, address: string, lies: Lies = {}) {
  const key = await Authenticator.make(ORIGIN);
  const begun = await script(browser, '/sign-in/passkey/new/options', { address, return_to: '/' });
  const done = await script(browser, '/sign-in/passkey/new/finish', await key.create(begun.body, lies));
  return { key, begun, done };
}

/** Signs in. */
export async function use(browser: Browser, key: Authenticator, lies: Lies = {}): Promise<Said> {
  const begun = await script(browser, '/sign-in/passkey/options', { return_to: '/' });
  return script(browser, '/sign-in/passkey/finish', await key.get(begun.body, lies));
}

/** Who is signed in, as the start page says it. */
export async function isSignedInAs(browser: Browser, email: string): Promise<boolean> {
  return (await browser.open('/')).body.includes(email);
}

/** The newest line of the audit, with the address of its person. */
export async function lastAudit(): Promise<{ action: string; email: string | undefined; detail: unknown }> {
  const row = await bindings.DIRECTORY.prepare(
    'SELECT action, email, detail FROM audit LEFT JOIN persons ON persons.id = person_id ORDER BY audit.id DESC',
  ).first<{ action: string; email: string | null; detail: string }>();
  if (row === null) throw new Error('the audit is empty');
  return { action: row.action, email: row.email ?? undefined, detail: JSON.parse(row.detail) as unknown };
}

/** How many persons, identities and passkeys there are. */
export async function census(): Promise<unknown> {
  return bindings.DIRECTORY.prepare(
    `SELECT (SELECT count(*) FROM persons) AS persons, (SELECT count(*) FROM identities) AS identities,
       (SELECT count(*) FROM passkeys) AS passkeys`,
  ).first();
}
