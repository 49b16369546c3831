import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';

import { createApp } from '../../src/app.ts';
import type { Bindings } from '../../src/app.ts';
import { delayStorage } from '../support/delays.ts';
import { LOOPBACK_REDIRECT, OAuthClient, Person, send } from '../support/person.ts';
import { times } from '../support/rounds.ts';
import { TEST_TOOLSETS } from '../support/toolsets.ts';

const bindings = env as unknown as Bindings;
const PER_ADDRESS = 300;
const DAY_MS = 86_400_000;

const from = async (address: string, metadata: Record<string, unknown> = {}) =>
  send('/register', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'CF-Connecting-IP': address },
    body: JSON.stringify({
      redirect_uris: [LOOPBACK_REDIRECT],
      token_endpoint_auth_method: 'none',
      client_name: 'App',
      ...metadata,
    }),
  });

/** Registrations that took place, without the work of each. */
async function fill(address: string, count: number): Promise<void> {
  const { status } = await from(address);
  if (status !== 201) throw new Error(`registration: ${status}`);
  const insert = bindings.DIRECTORY.prepare(
    `INSERT INTO client_registrations (slot, address_hash, created_at)
     SELECT ?, address_hash, created_at FROM client_registrations WHERE slot = (
       SELECT slot FROM client_registrations ORDER BY created_at DESC LIMIT 1)`,
  );
  await bindings.DIRECTORY.batch(times(count - 1, (index) => insert.bind(`${address}-${index}`)));
}

describe('registrations of one address', () => {
  it('are bounded, with the time after which to try again, and those of another go on', async () => {
    await fill('192.0.2.1', PER_ADDRESS);
    const refused = await from('192.0.2.1');
    expect([refused.status, Number(refused.headers.get('Retry-After')) > 0]).toEqual([429, true]);
    expect(await refused.json()).toMatchObject({ code: 'limit_exceeded' });
    expect((await from('192.0.2.2')).status).toBe(201);
  });

  it('are bounded when many come at once', async () => {
    await fill('192.0.2.3', PER_ADDRESS - 5);
    delayStorage(20);
    const statuses = await Promise.all(times(25, async () => (await from('192.0.2.3')).status));
    delayStorage(0);
    expect(statuses.filter((status) => status === 201)).toHaveLength(5);
    expect(statuses.filter((status) => status === 429)).toHaveLength(20);
  });

  it('that were refused do not count, and no address is kept', async () => {
    await fill('192.0.2.4', PER_ADDRESS - 1);
    for (let attempt = 0; attempt < 3; attempt++)
      expect((await from('192.0.2.4', { redirect_uris: ['javascript:alert(1)'] })).status).toBe(400);
    expect((await from('192.0.2.4')).status).toBe(201);
    const { results } = await bindings.DIRECTORY.prepare('SELECT * FROM client_registrations').all();
    expect(JSON.stringify(results)).not.toContain('192.0.2.4"');
    expect(results.every((row) => !String(row['address_hash']).includes('192.0.2'))).toBe(true);
  });
});

it('a client that nobody granted anything is forgotten after a week, and one with a grant is kept', async () => {
  const [unused, used, fresh] = await Promise.all([
    OAuthClient.register(),
    OAuthClient.register(),
    OAuthClient.register(),
  ]);
  await new Person().connect(used);
  await bindings.DIRECTORY.prepare(
    'UPDATE client_registrations SET created_at = created_at - ? WHERE client_id IN (?, ?)',
  )
    .bind(8 * DAY_MS, unused.id, used.id)
    .run();
  await createApp(bindings, TEST_TOOLSETS).scheduled();
  const isKnown = async ({ id }: OAuthClient) =>
    (await bindings.DIRECTORY.prepare('SELECT 1 FROM oauth_records WHERE key = ?').bind(`client:${id}`).first()) !==
    null;
  expect([await isKnown(unused), await isKnown(used), await isKnown(fresh)]).toEqual([false, true, true]);
  // The app's person sees a page that says what to do.
  const page = await new Person().browser.open(unused.authorizationUrl());
  expect([page.status, page.body.includes('This app is not known here')]).toEqual([400, true]);
  await new Person().connect(used);
});
