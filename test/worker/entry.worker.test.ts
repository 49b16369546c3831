import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';

import type { Bindings } from '../../src/app.ts';
import { AdmissionRepo } from '../../src/directory/admission-repo.ts';
import { AuditRepo } from '../../src/directory/audit-repo.ts';
import { AuditTrail } from '../../src/directory/audit.ts';
import { DirectoryRepo } from '../../src/directory/repo.ts';
import { DirectoryService } from '../../src/directory/service.ts';
import type { Person, Vouched } from '../../src/directory/types.ts';
import { Admission } from '../../src/identity/admission.ts';
import { Keyring } from '../../src/lib/keyring.ts';
import { ConsoleTelemetry } from '../../src/telemetry/telemetry.ts';
import { RpcWorkspaces } from '../../src/workspace/rpc-client.ts';
import { send } from '../support/person.ts';
import { auditOf, formAt, OWNER_CODE, theOwner, Visitor } from '../support/people.ts';

const bindings = env as unknown as Bindings & { CARREL_SECRET: string };
const { DIRECTORY } = bindings;

const repo = new AdmissionRepo(DIRECTORY);
const workspaces = new RpcWorkspaces(bindings.WORKSPACE);
const admission = new Admission({
  directory: new DirectoryService(new DirectoryRepo(DIRECTORY), (id, standing) =>
    workspaces.writeStanding(id, standing),
  ),
  repo,
  audit: new AuditTrail(new AuditRepo(DIRECTORY), new ConsoleTelemetry()),
  keyring: new Keyring([bindings.CARREL_SECRET]),
  rules: { emails: [], domains: [], groups: [] },
});

let strangers = 0;
/** Somebody whom a provider vouches for and nobody knows. The development sign-in knows no strangers. */
function stranger(): Vouched {
  const subject = `stranger-${++strangers}`;
  return { provider: 'elsewhere', subject, email: undefined, label: subject, emailVerified: false, groups: [] };
}

async function owners(): Promise<number> {
  const row = await DIRECTORY.prepare(`SELECT count(*) AS count FROM persons WHERE role = 'owner'`).first<{
    count: number;
  }>();
  return row?.count ?? 0;
}

describe('before anybody owns the deployment', () => {
  it('a wrong code opens nothing, and is in the audit', async () => {
    const visitor = new Visitor();
    for (const code of ['', 'x', `${OWNER_CODE}x`, OWNER_CODE.slice(1), `${OWNER_CODE}.`, 'ü'.repeat(200)]) {
      const page = await visitor.claim(code);
      expect([page.status, page.url.pathname]).toEqual([400, '/claim']);
      expect(page.body).toContain('This is not the code');
    }
    expect(visitor.browser.cookieHeader()).not.toContain('ticket');
    const lines = (await auditOf()).filter(({ action }) => action === 'invitation_refused');
    expect(lines).toHaveLength(6);
    expect(JSON.stringify(await auditOf())).not.toContain(OWNER_CODE.slice(1));
  });

  it('a form of another browser opens nothing', async () => {
    const page = await new Visitor().browser.open('/claim');
    const other = new Visitor();
    await other.browser.open('/claim');
    expect((await other.browser.submit(page, formAt('/claim'), { code: OWNER_CODE })).status).toBe(403);
    expect(other.browser.cookieHeader()).not.toContain('ticket');
  });

  it('nobody without a ticket gets in whom no rule names', async () => {
    const entry = await admission.enter(stranger(), undefined, 'request');
    expect(entry).toMatchObject({ ok: false, reason: 'not_admitted' });
    expect((await auditOf()).at(-1)).toMatchObject({ action: 'sign_in_refused', detail: { reason: 'not_admitted' } });
  });

  it('of many who claim it at once, one becomes the owner', async () => {
    const visitors = Array.from({ length: 4 }, () => new Visitor());
    const pages = await Promise.all(visitors.map((visitor) => visitor.claim()));
    for (const { body } of pages) expect(body).toContain('You are about to own this Carrel');
    const arrived = await Promise.all([
      ...visitors.map(async (visitor, at) => (await visitor.signIn(pages[at])).status),
      ...[1, 2, 3].map(async () => (await admission.enter(stranger(), `owner.${OWNER_CODE}`, 'request')).ok),
    ]);
    expect(await owners()).toBe(1);
    expect(arrived.filter((each) => each === true || each === 200).length).toBeGreaterThanOrEqual(1);
    const claimed = (await auditOf()).filter(({ action }) => action === 'owner_claimed');
    expect(claimed).toHaveLength(1);
  });
});

describe('once somebody owns it', () => {
  it('the code is worth nothing any more', async () => {
    if ((await owners()) === 0) await theOwner();
    const visitor = new Visitor();
    const page = await visitor.browser.open('/claim');
    expect(page.body).toContain('This Carrel has an owner');
    expect(page.body).not.toContain('name="code"');
    const sent = await visitor.post('/claim', '/claim', { code: OWNER_CODE });
    expect([sent.status, visitor.browser.cookieHeader().includes('ticket')]).toEqual([400, false]);
    expect(sent.body).toContain('This Carrel has an owner');
    expect(await admission.enter(stranger(), `owner.${OWNER_CODE}`, 'request')).toMatchObject({ ok: false });
    expect(await owners()).toBe(1);
  });
});

describe('an invitation', () => {
  const maker: Person = {
    id: 'per_maker000000000000000',
    email: 'maker@example.com',
    role: 'owner',
    disabledAt: undefined,
  };

  async function invited(role: 'admin' | 'member' | 'auditor' = 'member'): Promise<string> {
    await DIRECTORY.prepare(
      'INSERT INTO persons (id, email, role, created_at) VALUES (?, ?, ?, 0) ON CONFLICT DO NOTHING',
    )
      .bind(maker.id, maker.email, 'admin')
      .run();
    return admission.invite(maker, role, 'for a test', 'request');
  }

  it('is only looked at by a GET, however often, and by HEAD', async () => {
    const secret = await invited('auditor');
    for (const method of ['GET', 'HEAD', 'GET']) {
      const response = await send(`/invite/${secret}`, { method, headers: { Accept: 'text/html' } });
      expect([response.status, response.headers.getSetCookie().some((cookie) => cookie.includes('ticket'))]).toEqual([
        200,
        false,
      ]);
    }
    expect((await new Visitor().browser.open(`/invite/${secret}`)).body).toMatch(/maker@example\.com.*as.*an auditor/s);
    const visitor = new Visitor();
    const page = await visitor.accept(`http://localhost:8787/invite/${secret}`);
    expect(page.url.pathname).toBe('/sign-in');
    expect(page.body).toMatch(/gets in, as\s+an\s+auditor/);
    await visitor.signIn(page);
    expect(await visitor.standing()).toBe('auditor');
    expect((await auditOf(await visitor.id())).map(({ action }) => action)).toEqual(['person_admitted', 'signed_in']);
    // Used: the page says so, and its form does nothing any more.
    expect((await visitor.browser.open(`/invite/${secret}`)).status).toBe(410);
    const again = await visitor.post('/account', `/invite/${secret}`);
    expect([again.status, again.body.includes('This invitation cannot be used')]).toEqual([410, true]);
    expect((await auditOf()).at(-1)).toMatchObject({ action: 'invitation_refused', detail: { kind: 'invitation' } });
  });

  it('lets one in of many who use it at once', async () => {
    const secret = await invited();
    const entries = await Promise.all(
      Array.from({ length: 6 }, () => admission.enter(stranger(), `invitation.${secret}`, 'request')),
    );
    expect(entries.filter(({ ok }) => ok)).toHaveLength(1);
    const refused = entries.filter((entry) => !entry.ok);
    expect(new Set(refused.map((entry) => !entry.ok && entry.reason))).toEqual(new Set(['invitation_unusable']));
    const lines = (await auditOf()).filter(({ detail }) => detail['reason'] === 'invitation_unusable');
    expect(lines.length).toBeGreaterThanOrEqual(5);
  });

  it('that has expired, was withdrawn or never was, is a page that says so', async () => {
    const expired = await invited();
    await DIRECTORY.prepare('UPDATE invitations SET expires_at = 1 WHERE used_at IS NULL').run();
    const withdrawn = await invited();
    await DIRECTORY.prepare('DELETE FROM invitations WHERE used_at IS NULL AND expires_at > 1').run();
    for (const secret of [expired, withdrawn, 'never', 'x'.repeat(3000)]) {
      const page = await new Visitor().browser.open(`/invite/${secret}`);
      expect([page.status, page.body.includes('This invitation cannot be used')]).toEqual([410, true]);
      expect(await admission.enter(stranger(), `invitation.${secret}`, 'request')).toMatchObject({ ok: false });
    }
  });

  it('is not taken from a form of another browser', async () => {
    const secret = await invited();
    const page = await new Visitor().browser.open(`/invite/${secret}`);
    const other = new Visitor();
    await other.browser.open('/sign-in');
    expect((await other.browser.submit(page, formAt(`/invite/${secret}`), {})).status).toBe(403);
    expect(other.browser.cookieHeader()).not.toContain('ticket');
  });

  it('tells who is in already so, and is not used up by them', async () => {
    const visitor = new Visitor();
    await visitor.signIn();
    const secret = await invited('admin');
    expect((await visitor.browser.open(`/invite/${secret}`)).body).toContain('You are in already');
    await visitor.signIn(await visitor.post('/account', `/invite/${secret}`));
    expect(await visitor.standing()).toBe('member');
    expect((await new Visitor().browser.open(`/invite/${secret}`)).status).toBe(200);
  });
});
