import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';

import { createApp } from '../../src/app.ts';
import type { Bindings } from '../../src/app.ts';
import { AuditRepo } from '../../src/directory/audit-repo.ts';
import { AUDIT_DAYS, AuditTrail } from '../../src/directory/audit.ts';
import { ConsoleTelemetry } from '../../src/telemetry/telemetry.ts';
import { auditDuring } from '../support/audit.ts';
import { costOf } from '../support/costs.ts';
import { OAuthClient, send } from '../support/person.ts';
import { withRole } from '../support/people.ts';
import { times } from '../support/rounds.ts';
import { TEST_TOOLSETS } from '../support/toolsets.ts';

const bindings = env as unknown as Bindings;
const { DIRECTORY } = bindings;
const trail = new AuditTrail(new AuditRepo(DIRECTORY), new ConsoleTelemetry());
const DAY_MS = 86_400_000;
const FORM = 'application/x-www-form-urlencoded';

/** A form with fields that may come twice. */
const post = async (fields: readonly (readonly [string, string])[], headers: Record<string, string> = {}) =>
  send('/token', {
    method: 'POST',
    headers: { 'Content-Type': FORM, ...headers },
    body: new URLSearchParams(fields.map(([name, value]) => [name, value])).toString(),
  });

describe('a stranger writes nothing of their own into the audit', () => {
  const TEXT = 'Your account was locked, call 555';
  const REFRESH = [['grant_type', 'refresh_token']] as const;

  it.each<[string, string, readonly (readonly [string, string])[], Record<string, string>]>([
    ['a parameter that is repeated', 'invalid_request', [...REFRESH, ['scope', 'a'], ['scope', 'b']], {}],
    ['another type of body', 'invalid_request', REFRESH, { 'Content-Type': 'text/plain' }],
    ['a body that is no form', 'invalid_request', REFRESH, { 'Content-Type': 'multipart/form-data' }],
    ['two ways to show who it is', 'invalid_request', REFRESH, { Authorization: `Basic ${btoa('one:two')}` }],
    ['half an assertion', 'invalid_request', [...REFRESH, ['client_assertion', 'x.y.z']], {}],
    [
      'an assertion and a secret',
      'invalid_request',
      [...REFRESH, ['client_assertion', 'x.y.z'], ['client_secret', 'x']],
      {},
    ],
    ['no form of Basic', 'invalid_request', REFRESH, { Authorization: 'Basic %%%' }],
    ['nothing that shows who it is', 'invalid_client', REFRESH, {}],
  ])('with %s', async (_what, error, fields, headers) => {
    const victim = await withRole('member');
    const { refreshToken } = await victim.connect(await OAuthClient.register());
    const [outward = ''] = refreshToken.split(':');
    const written = await auditDuring(async () => {
      for (const token of ['x', `${outward}:none:none`, refreshToken]) {
        const answer = await post([...fields, ['refresh_token', token], ['client_id', TEXT]], headers);
        expect(await answer.json()).toMatchObject({ error });
      }
    });
    expect(JSON.stringify(written)).not.toContain('555');
    expect((await victim.browser.open('/account/connections')).body).not.toContain('555');
  });

  it('with a method that is none of the endpoint', async () => {
    expect(await auditDuring(async () => send(`/token?client_id=${TEXT}`, { method: 'PUT', body: '' }))).toEqual([]);
  });

  it('of any length, whoever forgot to look', async () => {
    const [long, short] = ['J'.repeat(501), 'J'.repeat(500)];
    const written = await auditDuring(async () => {
      await trail.record({ action: 'token_refused', clientId: long, detail: { reason: long, note: short, count: 1 } });
      await trail.record({ action: 'token_refused', clientId: short });
    });
    expect(written).toMatchObject([{ clientId: undefined }, { clientId: short }]);
    expect(written[0]?.detail).toEqual({ note: short, count: 1 });
  });
});

describe('about one person', () => {
  it('there are at most a hundred lines an hour of what others can cause, and what somebody meant is always written', async () => {
    const person = { personId: `per_${crypto.randomUUID()}` };
    const meant = { ...person, action: 'grant_revoked', detail: { by: person.personId } } as const;
    const entries = [
      ...(['refresh_token_reused', 'grant_first_used', 'code_exchanged'] as const).map((action) => ({
        ...person,
        action,
      })),
      ...(['token_made', 'person_disabled'] as const).map((action) => ({ ...person, action })),
    ];
    for (const entry of entries) await Promise.all(times(103, async () => trail.record(entry)));
    await Promise.all(times(103, async () => trail.record({ ...meant, detail: { by: 'client' } })));
    await trail.record(meant);
    const { results } = await DIRECTORY.prepare(
      'SELECT action, count(*) AS lines FROM audit WHERE person_id = ? GROUP BY action ORDER BY action',
    )
      .bind(person.personId)
      .all();
    expect(results).toEqual([
      { action: 'code_exchanged', lines: 100 },
      { action: 'grant_first_used', lines: 100 },
      { action: 'grant_revoked', lines: 101 },
      { action: 'person_disabled', lines: 103 },
      { action: 'refresh_token_reused', lines: 100 },
      { action: 'token_made', lines: 103 },
    ]);
  });

  it('the page of connections reads that person’s lines alone', async () => {
    const [visitor, app] = [await withRole('member'), await OAuthClient.register()];
    await visitor.connect(app);
    await DIRECTORY.batch(
      [undefined, app.id].map((clientId) =>
        DIRECTORY.prepare(
          `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
           INSERT INTO audit (at, action, person_id, client_id, request_id, detail)
             SELECT ?, 'token_refused', 'per_other', ?, 'crowd', '{}' FROM n`,
        ).bind(Date.now(), clientId ?? null),
      ),
    );
    const { d1RowsRead } = await costOf(async () => visitor.browser.open('/account/connections'));
    expect(d1RowsRead).toBeLessThan(50);
    await DIRECTORY.prepare("DELETE FROM audit WHERE request_id = 'crowd'").run();
  });
});

it('a line is kept for a year, and then swept', async () => {
  const ages = [AUDIT_DAYS + 1, AUDIT_DAYS - 1].map((days) => Date.now() - days * DAY_MS);
  const insert = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
    INSERT INTO audit (at, action, request_id, detail) SELECT ?, 'metadata_read', 'aged', '{}' FROM n`;
  await DIRECTORY.batch(ages.map((at) => DIRECTORY.prepare(insert).bind(at)));
  await createApp(bindings, TEST_TOOLSETS).scheduled();
  const { results } = await DIRECTORY.prepare(
    "SELECT at, count(*) AS lines FROM audit WHERE request_id = 'aged' GROUP BY at",
  ).all();
  expect(results).toEqual([{ at: ages[1], lines: 1500 }]);
  await DIRECTORY.prepare("DELETE FROM audit WHERE request_id = 'aged'").run();
});
