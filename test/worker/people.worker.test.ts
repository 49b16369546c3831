import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import type { Bindings } from '../../src/app.ts';
import { AdmissionRepo } from '../../src/directory/admission-repo.ts';
import { AuditRepo } from '../../src/directory/audit-repo.ts';
import { AuditTrail } from '../../src/directory/audit.ts';
import type { Role } from '../../src/directory/types.ts';
import { ConsoleTelemetry } from '../../src/telemetry/telemetry.ts';
import { RpcWorkspaces } from '../../src/workspace/rpc-client.ts';
import { delayStorage } from '../support/delays.ts';
import { statusOf } from '../support/mcp.ts';
import { codeOf, OAuthClient, outcome } from '../support/person.ts';
import { auditOf, theOwner, Visitor, withRole } from '../support/people.ts';

const { DIRECTORY, WORKSPACE } = env as unknown as Bindings;
const ROLES = ['owner', 'admin', 'member', 'auditor'] as const;

/** One of each role; those who act, and those to whom it is done. */
const acting = {} as Record<Role, Visitor>;
const other = {} as Record<Exclude<Role, 'owner'>, Visitor>;
beforeAll(async () => {
  acting.owner = await theOwner();
  for (const role of ['admin', 'member', 'auditor'] as const) {
    acting[role] = await withRole(role);
    other[role] = await withRole(role);
  }
});

/** An action of the page of people. @returns the status; 200 is the page again */
async function change(actor: Visitor, target: string, fields: Record<string, string>): Promise<number> {
  return (await actor.post('/admin/people', `/admin/people/${target}`, fields)).status;
}

describe('the pages', () => {
  it.each([
    ['/admin/people', [200, 200, 403, 403]],
    ['/admin/audit', [200, 200, 403, 200]],
    ['/account', [200, 200, 200, 200]],
    ['/account/apps', [200, 200, 200, 200]],
  ])('%s open to the roles that may see them', async (path, statuses) => {
    const seen = await Promise.all(ROLES.map(async (role) => (await acting[role].browser.open(path)).status));
    expect(seen).toEqual(statuses);
    const outside = await new Visitor().browser.open(path);
    expect([outside.url.pathname, outside.url.searchParams.get('return_to')]).toEqual(['/sign-in', path]);
  });

  it('offer each role only what it may open', async () => {
    for (const role of ROLES) {
      const { body } = await acting[role].browser.open('/account');
      expect([role, body.includes('"/admin/people"'), body.includes('"/admin/audit"')]).toEqual([
        role,
        ['owner', 'admin'].includes(role),
        role !== 'member',
      ]);
    }
  });
});

describe('the roles', () => {
  const managers: readonly Role[] = ['owner', 'admin'];

  it.each(ROLES)('%s changes, disables and enables whom the role may, and nobody else', async (role) => {
    const actor = acting[role];
    for (const target of ['admin', 'member', 'auditor'] as const) {
      const person = other[target];
      const id = await person.id();
      const to = target === 'auditor' ? 'member' : 'auditor';
      const steps: [Record<string, string>, string][] = [
        [{ change: 'role', role: to }, to],
        [{ change: 'disable' }, `${to} disabled`],
        [{ change: 'enable' }, to],
        [{ change: 'role', role: target }, target],
      ];
      for (const [fields, standing] of steps) {
        const status = await change(actor, id, fields);
        expect([status, await person.standing()]).toEqual(managers.includes(role) ? [200, standing] : [403, target]);
      }
    }
  });

  it.each(ROLES)('%s changes neither the owner nor themselves', async (role) => {
    const actor = acting[role];
    for (const person of [acting.owner, actor])
      for (const fields of [{ change: 'role', role: 'member' }, { change: 'disable' }]) {
        const before = await person.standing();
        expect(await change(actor, await person.id(), fields)).toBe(403);
        expect(await person.standing()).toBe(before);
      }
  });

  it('of owner is given to nobody', async () => {
    for (const role of managers) {
      expect(await change(acting[role], await other.member.id(), { change: 'role', role: 'owner' })).toBe(400);
      expect(await acting[role].invite('owner')).toBe('no link: 400');
    }
    expect(await other.member.standing()).toBe('member');
  });

  it('see an id that nobody has as what is not there', async () => {
    for (const id of ['per_00000000000000000000', 'x', '%00', "'; DROP TABLE persons; --"])
      expect(await change(acting.owner, encodeURIComponent(id), { change: 'disable' })).toBe(404);
    // Who may not ask is told nothing of who is there.
    const answers = [await other.admin.id(), 'per_00000000000000000000'].map((id) =>
      change(acting.member, id, { change: 'disable' }),
    );
    expect(await Promise.all(answers)).toEqual([403, 403]);
  });

  it.each(['member', 'auditor'] as const)('%s makes no invitations', async (role) => {
    const sent = await acting[role].post('/admin/people', '/admin/invitations', { role: 'admin', note: '' });
    expect(sent.status).toBe(403);
  });

  it.each(managers)('%s makes invitations and takes them back', async (role) => {
    const actor = acting[role];
    const link = await actor.invite('admin', '<b>For Grace</b>');
    const page = await actor.browser.open('/admin/people');
    expect(page.body).toContain('&lt;b&gt;For Grace&lt;/b&gt;');
    // Shown once: the page has no way to show it again.
    expect(page.body).not.toContain(link);
    const id = /\/admin\/invitations\/(inv_\w+)\/withdraw/.exec(page.body)?.[1] ?? '';
    expect((await acting.member.post('/account', `/admin/invitations/${id}/withdraw`)).status).toBe(403);
    expect((await new Visitor().browser.open(link)).status).toBe(200);
    expect((await actor.post('/admin/people', `/admin/invitations/${id}/withdraw`)).status).toBe(200);
    expect((await new Visitor().browser.open(link)).status).toBe(410);
    expect((await actor.post('/admin/people', `/admin/invitations/${id}/withdraw`)).status).toBe(404);
    const lines = (await auditOf(await actor.id())).map(({ action }) => action);
    expect(lines.slice(-2)).toEqual(['invitation_made', 'invitation_withdrawn']);
  });

  it('that are taken take their open invitations with them', async () => {
    const ways = [
      [{ change: 'disable' }, 'person_disabled'],
      [{ change: 'role', role: 'auditor' }, 'role_changed'],
    ] as const;
    for (const [fields, action] of ways) {
      const admin = await withRole('admin');
      const links = [await admin.invite('admin'), await admin.invite('member')];
      expect(await change(acting.owner, await admin.id(), fields)).toBe(200);
      for (const link of links) expect((await new Visitor().browser.open(link)).status).toBe(410);
      const lines = (await auditOf(await acting.owner.id())).map((line) => line.action);
      expect(lines.slice(-3)).toEqual([action, 'invitation_withdrawn', 'invitation_withdrawn']);
    }
  });

  it('do not open the forms of another browser', async () => {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', Origin: 'https://evil.example' };
    const id = await other.member.id();
    for (const [path, body] of [
      [`/admin/people/${id}`, 'change=disable'],
      ['/admin/invitations', 'role=admin&note='],
      ['/account/sessions/end-others', ''],
    ] as const) {
      const page = await acting.owner.browser.open(path, { method: 'POST', body, headers });
      expect(page.status).toBe(403);
    }
    expect(await other.member.standing()).toBe('member');
  });
});

describe('somebody who is disabled', () => {
  it('is out with the next call, in apps and in browsers, and comes back when enabled', async () => {
    const person = await withRole('member');
    const id = await person.id();
    const { client, accessToken, refreshToken } = await person.connect(await OAuthClient.register());
    expect(await statusOf(accessToken)).toBe(200);
    const kept = person.browser.cookieHeader();
    expect(await change(acting.admin, id, { change: 'disable' })).toBe(200);
    expect(await statusOf(accessToken)).toBe(401);
    expect(await outcome(await client.refresh(refreshToken))).toBe('invalid_grant');
    expect((await person.browser.open('/account')).url.pathname).toBe('/sign-in');
    const back = await person.signIn();
    expect([back.status, back.body.includes('This account was disabled')]).toEqual([400, true]);
    expect(await change(acting.admin, id, { change: 'enable' })).toBe(200);
    expect(await statusOf(accessToken)).toBe(200);
    // Browsers do not come back with the person: who had one of theirs may be why they were disabled.
    const page = await person.browser.open('/account', { headers: { Cookie: kept } });
    expect(page.url.pathname).toBe('/sign-in');
    const lines = (await auditOf(id)).map(({ action }) => action);
    expect(lines).toEqual([
      'person_admitted',
      'signed_in',
      'authorize_opened',
      'consent_given',
      'code_exchanged',
      'grant_first_used',
      'person_disabled',
      'token_refused',
      'sign_in_refused',
      'person_enabled',
    ]);
  });

  it('stays out when the directory and the object are told at the same time', async () => {
    const person = await withRole('member');
    const id = await person.id();
    const { accessToken } = await person.connect(await OAuthClient.register());
    const changes = [
      { change: 'disable' },
      { change: 'role', role: 'auditor' },
      { change: 'disable' },
      { change: 'role', role: 'admin' },
      { change: 'enable' },
    ];
    // A race that storage answers in no time hides.
    delayStorage(3);
    onTestFinished(() => delayStorage(0));
    for (let round = 0; round < 10; round++) {
      await Promise.all(changes.map((fields, at) => change(at % 2 ? acting.owner : acting.admin, id, fields)));
      const disabled = (await person.standing()).endsWith('disabled');
      expect(await statusOf(accessToken)).toBe(disabled ? 401 : 200);
      await change(acting.owner, id, { change: 'enable' });
      await change(acting.owner, id, { change: 'role', role: 'member' });
    }
  });
});

describe('an account', () => {
  it('lists what a person let in, and ends it with the next request', async () => {
    const person = await withRole('member');
    const client = await OAuthClient.register({ client_name: '<i>Reading</i> list' });
    const [one, two] = [await person.connect(client), await person.connect(client)];
    const page = await person.browser.open('/account/apps');
    expect(page.body.match(/&lt;i&gt;Reading&lt;\/i&gt; list/g)).toHaveLength(2);
    expect(page.body).toContain('127.0.0.1:33418');
    expect(page.body).toContain('Unverified');
    const revoke = (visitor: Visitor, grant: string) => visitor.post('/account/apps', `/account/apps/${grant}/revoke`);
    // Somebody else's looks like one that is not there.
    const stranger = await withRole('member');
    for (const who of [stranger, acting.owner]) expect((await revoke(who, one.grantId)).status).toBe(404);
    expect((await revoke(person, 'nobodys')).status).toBe(404);
    expect(await statusOf(one.accessToken)).toBe(200);
    expect((await revoke(person, one.grantId)).status).toBe(200);
    expect([await statusOf(one.accessToken), await statusOf(two.accessToken)]).toEqual([401, 200]);
    expect(await outcome(await client.refresh(one.refreshToken))).toBe('invalid_grant');
    expect((await revoke(person, one.grantId)).status).toBe(404);
    const lines = await auditOf(await person.id());
    expect(lines.map(({ action }) => action)).toEqual([
      'person_admitted',
      'signed_in',
      'authorize_opened',
      'consent_given',
      'code_exchanged',
      'authorize_opened',
      'consent_given',
      'code_exchanged',
      'grant_first_used',
      'grant_revoked',
      'grant_first_used',
    ]);
  });

  it('does not list what was allowed and never fetched, and ends it with what is listed', async () => {
    const [person, client] = [await withRole('member'), await OAuthClient.register()];
    const waiting = codeOf(await person.allow(client));
    expect((await person.browser.open('/account/apps')).body).toContain('No app is connected');
    const { grantId } = await person.connect(client);
    const ofAnother = await OAuthClient.register();
    const kept = codeOf(await person.allow(ofAnother));
    await person.post('/account/apps', `/account/apps/${grantId}/revoke`);
    expect(await outcome(await client.redeem(waiting))).toBe('invalid_grant');
    expect(await outcome(await ofAnother.redeem(kept))).toBe('200');
  });

  it('shows the browsers, and signs the others out', async () => {
    const here = await withRole('member');
    const there = new Visitor(here.email);
    await there.signIn();
    const page = await here.browser.open('/account');
    expect(page.body.match(/Development sign-in/g)).toHaveLength(3);
    expect(page.body.match(/This browser/g)).toHaveLength(1);
    expect((await here.post('/account', '/account/sessions/end-others')).status).toBe(200);
    expect((await there.browser.open('/account')).url.pathname).toBe('/sign-in');
    expect((await here.browser.open('/account')).status).toBe(200);
    expect((await auditOf(await here.id())).at(-1)).toMatchObject({
      action: 'sessions_ended',
      detail: { sessions: 1 },
    });
  });

  it('loses a way to sign in, with the browsers that it let in, but never the last', async () => {
    const person = await withRole('member');
    const id = await person.id();
    const remove = (provider: string, subject: string) =>
      person.post('/account', '/account/identities/remove', { provider, subject });
    expect((await remove('dev', person.email)).status).toBe(409);
    for (const subject of ['one', 'two'])
      await DIRECTORY.prepare(
        'INSERT INTO identities (provider, subject, person_id, created_at, label) VALUES (?, ?, ?, 0, ?)',
      )
        .bind('elsewhere', subject, id, `${subject}@elsewhere`)
        .run();
    await DIRECTORY.prepare('INSERT INTO sign_in_sessions VALUES (?, ?, ?, 0, ?)')
      .bind(`hash-${id}`, id, 'elsewhere', Date.now() + 1e6)
      .run();
    expect((await person.browser.open('/account')).body).toContain('two@elsewhere');
    const stranger = await withRole('member');
    const taken = await stranger.post('/account', '/account/identities/remove', {
      provider: 'elsewhere',
      subject: 'one',
    });
    expect(taken.status).toBe(404);
    expect((await remove('elsewhere', 'one')).status).toBe(200);
    expect((await auditOf(id)).at(-1)).toMatchObject({
      action: 'identity_removed',
      detail: { provider: 'elsewhere', sessions: 1 },
    });
    // Both at once, past the first look of each: one stays.
    const repo = new AdmissionRepo(DIRECTORY);
    const both = [repo.unlinkIdentity(id, 'elsewhere', 'two'), repo.unlinkIdentity(id, 'dev', person.email)];
    expect((await Promise.all(both)).filter(Boolean)).toHaveLength(1);
    const left = await DIRECTORY.prepare('SELECT count(*) AS count FROM identities WHERE person_id = ?')
      .bind(id)
      .first();
    expect(left).toEqual({ count: 1 });
  });
});

describe('the audit', () => {
  it('is shown newest first, by person and by action, in pages', async () => {
    const reader = acting.auditor;
    const person = await withRole('member');
    const id = await person.id();
    await Promise.all(
      Array.from({ length: 60 }, () =>
        DIRECTORY.prepare(`INSERT INTO audit (at, action, person_id, detail) VALUES (1, 'identity_linked', ?, '{}')`)
          .bind(id)
          .run(),
      ),
    );
    const first = await reader.browser.open(`/admin/audit?person=${id}&action=identity_linked`);
    expect(first.body.match(/1970-01-01 00:00 UTC/g)).toHaveLength(50);
    const older = /href="(\/admin\/audit\?[^"]*before=\d+[^"]*)"/.exec(first.body)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const second = await reader.browser.open(older);
    expect(second.body.match(/1970-01-01 00:00 UTC/g)).toHaveLength(10);
    expect(second.body).not.toContain('before=');
    const all = await reader.browser.open('/admin/audit?action=nonsense&before=-1&person=');
    expect([all.status, all.body.includes('identity linked')]).toEqual([200, true]);
    expect((await reader.browser.open('/admin/audit?person=nobody')).body).toContain('There is no such line');
  });

  it('is not filled by those whom nobody knows', async () => {
    const audit = new AuditTrail(new AuditRepo(DIRECTORY), new ConsoleTelemetry());
    const lines = async () => (await auditOf()).filter(({ action }) => action === 'invitation_refused').length;
    for (let round = 0; round < 8; round++)
      await Promise.all(Array.from({ length: 30 }, () => audit.record({ action: 'invitation_refused' })));
    expect(await lines()).toBe(200);
    // What is about somebody is counted for itself.
    await audit.record({ action: 'invitation_refused', personId: await acting.owner.id() });
    expect(await lines()).toBe(201);
  });

  it('has what clients did and what people answered', async () => {
    const person = await withRole('member');
    const client = await OAuthClient.register();
    const page = await person.open(client);
    await person.browser.submit(page, ({ fields }) => fields.some(({ name }) => name === 'handle'), {
      decision: 'deny',
    });
    const { grantId } = await person.connect(client, {}, ['sessions:read']);
    const { results } = await DIRECTORY.prepare(
      'SELECT action, person_id AS person, grant_id AS grant, request_id AS request, detail FROM audit WHERE client_id = ? ORDER BY id',
    )
      .bind(client.id)
      .all<Record<string, string | null>>();
    expect(results).toMatchObject([
      { action: 'client_registered', person: null },
      { action: 'authorize_opened', person: await person.id() },
      { action: 'consent_denied', person: await person.id() },
      { action: 'authorize_opened', person: await person.id() },
      { action: 'consent_given', grant: grantId, detail: '{"consent":"once","scopes":"sessions:read"}' },
      { action: 'code_exchanged', grant: grantId, person: await person.id() },
    ]);
    for (const { request } of results) expect(request).toMatch(/^\w{20}$/);
  });
});

describe('a workspace that is wiped', () => {
  it('has no grants, no bytes and no person any more, and refuses whoever comes', async () => {
    const person = await withRole('member');
    const { accessToken, refreshToken, client, personId } = await person.connect(await OAuthClient.register());
    const workspaces = new RpcWorkspaces(WORKSPACE);
    const { FILES } = env as unknown as Bindings;
    await Promise.all([1, 2, 3].map((at) => FILES.put(`${personId}/fil_x/att_${at}`, 'bytes')));
    await FILES.put(`${personId}x/fil_x/att_1`, 'of somebody else');
    expect(await workspaces.wipe(personId)).toBe(3);
    expect((await FILES.list({ prefix: personId })).objects.map(({ key }) => key)).toEqual([
      `${personId}x/fil_x/att_1`,
    ]);
    expect(await workspaces.listGrants(personId)).toEqual([]);
    expect(await statusOf(accessToken)).toBe(401);
    expect(await outcome(await client.refresh(refreshToken))).toBe('invalid_grant');
    expect((await workspaces.health(personId)).schema).toEqual((await workspaces.health('per_new')).schema);
  });
});
