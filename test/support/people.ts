import { env } from 'cloudflare:workers';

import { signInWithEmail } from '../../scripts/client/browser.ts';
import type { BrowserPage } from '../../scripts/client/browser.ts';
import { htmlForms } from '../../scripts/client/html-forms.ts';
import type { HtmlForm } from '../../scripts/client/html-forms.ts';
import type { Bindings } from '../../src/app.ts';
import { Admission } from '../../src/identity/admission.ts';
import { Keyring } from '../../src/lib/keyring.ts';
import { Person } from './person.ts';

const { CARREL_SECRET, DIRECTORY } = env as unknown as Bindings & { CARREL_SECRET: string };

/** The code that `npm run owner-code` would print for the Worker under test. */
export const OWNER_CODE = await Admission.ownerCode(new Keyring([CARREL_SECRET]));

/** The form of a page that is posted there. */
export const formAt = (action: string) => (form: HtmlForm) => form.action === action;

/** What binds the forms of a page to its browser. */
function tokenOf({ body }: BrowserPage): string | undefined {
  const fields = htmlForms(body).flatMap((form) => form.fields);
  return fields.find(({ name }) => name === 'form_token')?.value;
}

/** Somebody who comes through the pages. */
export class Visitor extends Person {
  async signIn(page?: BrowserPage): Promise<BrowserPage> {
    return signInWithEmail(this.browser, page ?? (await this.browser.open('/sign-in')), this.email);
  }

  /** The page that follows the code. */
  async claim(code = OWNER_CODE): Promise<BrowserPage> {
    return this.browser.submit(await this.browser.open('/claim'), formAt('/claim'), { code });
  }

  /** The page that follows the button of an invitation. */
  async accept(link: string): Promise<BrowserPage> {
    const page = await this.browser.open(link);
    return this.browser.submit(page, formAt(new URL(link).pathname), {});
  }

  /** Posts a form of the page at `at`, or one made of its token where the page shows this person no such form. */
  async post(at: string, action: string, fields: Record<string, string> = {}): Promise<BrowserPage> {
    const page = await this.browser.open(at);
    const token = tokenOf(page) ?? tokenOf(await this.browser.open('/sign-in'));
    return this.browser.open(action, {
      method: 'POST',
      body: new URLSearchParams({ form_token: token ?? '', ...fields }).toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: 'http://localhost:8787' },
    });
  }

  /** @returns the link of a new invitation */
  async invite(role: string, note = ''): Promise<string> {
    const page = await this.browser.open('/admin/people');
    const made = await this.browser.submit(page, formAt('/admin/invitations'), { role, note });
    return /http:\/\/localhost:8787\/invite\/[\w-]+/.exec(made.body)?.[0] ?? `no link: ${made.status}`;
  }

  /** The id in the directory. */
  async id(): Promise<string> {
    const row = await DIRECTORY.prepare('SELECT id FROM persons WHERE email = ?')
      .bind(this.email)
      .first<{ id: string }>();
    return row?.id ?? '';
  }

  /** The role in the directory, with `disabled` behind it where it is. */
  async standing(): Promise<string> {
    const row = await DIRECTORY.prepare('SELECT role, disabled_at AS at FROM persons WHERE email = ?')
      .bind(this.email)
      .first<{ role: string; at: number | null }>();
    return row ? `${row.role}${row.at === null ? '' : ' disabled'}` : 'nobody';
  }
}

/** A person with a role: the one owner, or invited by the owner. */
export async function withRole(role: 'owner' | 'admin' | 'member' | 'auditor'): Promise<Visitor> {
  const visitor = new Visitor();
  if (role === 'member') {
    await visitor.signIn();
    return visitor;
  }
  if (role === 'owner') await visitor.signIn(await visitor.claim());
  else await visitor.signIn(await visitor.accept(await (await theOwner()).invite(role)));
  return visitor;
}

let owner: Promise<Visitor> | undefined;

/** The owner, who claims the deployment when first asked for. */
export async function theOwner(): Promise<Visitor> {
  owner ??= withRole('owner');
  return owner;
}

/** What the audit says, oldest first: what happened to or by a person, or all of it. */
export async function auditOf(person?: string): Promise<{ action: string; detail: Record<string, unknown> }[]> {
  const { results } = await DIRECTORY.prepare(
    `SELECT action, detail FROM audit WHERE ?1 IS NULL OR person_id = ?1 OR detail ->> 'by' = ?1 ORDER BY id`,
  )
    .bind(person ?? null)
    .all<{ action: string; detail: string }>();
  return results.map(({ action, detail }) => ({ action, detail: JSON.parse(detail) as Record<string, unknown> }));
}
