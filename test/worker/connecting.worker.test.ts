import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';

import type { BrowserPage } from '../../scripts/client/browser.ts';
import type { AuditLine } from '../../src/directory/types.ts';
import { auditDuring } from '../support/audit.ts';
import { delayStorage } from '../support/delays.ts';
import { codeOf, OAuthClient, outcome, Person, send } from '../support/person.ts';
import { withRole } from '../support/people.ts';
import type { Visitor } from '../support/people.ts';
import { times } from '../support/rounds.ts';

/** A line without what is another in every run. */
const told = ({ action, detail }: AuditLine) => [action, ...Object.values(detail)].join(' ');

let ada: Visitor;
let adaId: string;
let app: OAuthClient;
let other: OAuthClient;
beforeAll(async () => {
  ada = await withRole('member');
  adaId = await ada.id();
  [app, other] = [await OAuthClient.register(), await OAuthClient.register({ client_name: 'Other' })];
});

/** A code that Ada's app was given and has not redeemed. */
const freshCode = async () => codeOf(await ada.allow(app));

describe('a refusal at the token endpoint has a line with its person, its client and why', () => {
  const code: readonly (readonly [string, (code: string) => Promise<Response>, string, readonly string[]])[] = [
    [
      'a wrong verifier',
      async (value) => app.redeem(value, { code_verifier: 'x'.repeat(50) }),
      'invalid_grant',
      ['token_refused code_verifier_mismatch'],
    ],
    [
      'no verifier',
      async (value) => app.redeem(value, { code_verifier: undefined }),
      'invalid_request',
      ['token_refused code_verifier_missing'],
    ],
    [
      'a redirect that nobody registered',
      async (value) => app.redeem(value, { redirect_uri: 'https://evil.example/' }),
      'invalid_grant',
      ['token_refused redirect_uri_invalid'],
    ],
    [
      'a code that has expired',
      async (value) => {
        vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 601_000 });
        onTestFinished(() => void vi.useRealTimers());
        return app.redeem(value);
      },
      'invalid_grant',
      ['token_refused grant_not_found'],
    ],
    [
      'a code that was used',
      async (value) => {
        await app.redeem(value);
        return app.redeem(value);
      },
      'invalid_grant',
      ['code_exchanged', 'grant_revoked code_replayed', 'token_refused code_replayed'],
    ],
  ];
  it.for(code)('%s', async ([, act, refusal, lines]) => {
    const value = await freshCode();
    const written = await auditDuring(async () => expect(await outcome(await act(value))).toBe(refusal));
    expect(written.map(told)).toEqual(lines);
    for (const line of written)
      expect(line).toMatchObject({ personId: adaId, clientId: app.id, grantId: value.split(':')[1] });
    for (const { requestId } of written) expect(requestId).toMatch(/^\w{20}$/);
  });

  it('a code or refresh token of another client', async () => {
    const value = await freshCode();
    const { refreshToken } = await ada.connect(app);
    const written = await auditDuring(async () => {
      expect(await outcome(await other.redeem(value))).toBe('invalid_grant');
      expect(await outcome(await other.refresh(refreshToken))).toBe('invalid_grant');
    });
    expect(written.map(told)).toEqual(['token_refused client_mismatch', 'token_refused client_mismatch']);
    // Whoever came with it is who the line is about.
    for (const line of written) expect(line).toMatchObject({ personId: adaId, clientId: other.id });
  });

  it('a client that does not show its secret: the line is about whose grant it is', async () => {
    const secretive = await OAuthClient.register({ token_endpoint_auth_method: 'client_secret_post' });
    const { refreshToken } = await ada.connect(secretive);
    const written = await auditDuring(async () => secretive.refresh(refreshToken, { client_secret: 'guessed' }));
    expect(written.map(told)).toEqual(['token_refused client_secret_mismatch']);
    expect(written[0]).toMatchObject({ personId: adaId, clientId: secretive.id });
  });

  it('a code of nobody, of a client that is known', async () => {
    const written = await auditDuring(async () => app.redeem('nonsense'));
    expect(written.map(told)).toEqual(['token_refused code_malformed']);
    expect(written[0]).toMatchObject({ personId: undefined, clientId: app.id });
    expect(await auditDuring(async () => new OAuthClient('nobody', '').redeem('nonsense'))).toEqual([]);
  });

  it('of a code or token that nobody gave out is about its client alone, whoever is named in it', async () => {
    const value = await freshCode();
    const { refreshToken } = await ada.connect(app);
    const [outward = '', grantId = ''] = refreshToken.split(':');
    const written = await auditDuring(async () => {
      await app.redeem(value.slice(0, -2) + (value.endsWith('aa') ? 'bb' : 'aa'));
      for (const token of [`${outward}:none:none`, `${outward}:${grantId}:none`]) await other.refresh(token);
      await new OAuthClient('nobody', '').refresh(`${outward}:none:none`);
    });
    expect(written.map(told)).toEqual([
      'token_refused code_mismatch',
      'token_refused grant_not_found',
      'token_refused refresh_token_mismatch',
    ]);
    expect(written.map(({ clientId }) => clientId)).toEqual([app.id, other.id, other.id]);
    for (const line of written) expect(line).toMatchObject({ personId: undefined, grantId: undefined });
  });

  it('is told of the right one of many that come at once', async () => {
    const secretive = await OAuthClient.register({ token_endpoint_auth_method: 'client_secret_post' });
    const { refreshToken, grantId } = await ada.connect(secretive);
    const codes: string[] = [];
    for (const _ of times(8, () => undefined)) codes.push(await freshCode());
    delayStorage(5);
    onTestFinished(() => delayStorage(0));
    const written = await auditDuring(async () => {
      await Promise.all([
        ...codes.slice(0, 4).map(async (each) => app.redeem(each, { code_verifier: 'x'.repeat(50) })),
        ...codes.slice(4).map(async (each) => app.redeem(each, { code_verifier: undefined })),
        ...times(4, async () => secretive.refresh(refreshToken, { client_secret: 'guessed' })),
        ...times(4, async () => other.refresh('nonsense')),
      ]);
    });
    const of = (match: (line: AuditLine) => boolean) => written.filter(match).map(told);
    const ofGrants = (grants: readonly (string | undefined)[]) =>
      of((line) => line.clientId === app.id && grants.includes(line.grantId));
    const ids = codes.map((each) => each.split(':')[1]);
    const four = (reason: string) => times(4, () => `token_refused ${reason}`);
    expect(ofGrants(ids.slice(0, 4))).toEqual(four('code_verifier_mismatch'));
    expect(ofGrants(ids.slice(4))).toEqual(four('code_verifier_missing'));
    expect(of((line) => line.grantId === grantId && line.clientId === secretive.id)).toEqual(
      four('client_secret_mismatch'),
    );
    expect(of((line) => line.clientId === other.id)).toEqual(four('refresh_token_malformed'));
    expect(written).toHaveLength(16);
  });

  it('and the end of a grant has one line, however many come with its code at once', async () => {
    delayStorage(3);
    onTestFinished(() => delayStorage(0));
    const value = await freshCode();
    const written = await auditDuring(async () => Promise.all(times(6, async () => app.redeem(value))));
    expect(written.map(told).filter((line) => line.startsWith('grant_revoked'))).toEqual([
      'grant_revoked code_replayed',
    ]);
    const { refreshToken, accessToken } = await ada.connect(app);
    const ended = await auditDuring(async () => {
      await Promise.all(times(4, async () => app.revoke(refreshToken)));
      await app.revoke(accessToken);
    });
    expect(ended.map(told)).toEqual(['grant_revoked client']);
  });

  it('at most a hundred an hour about one person', async () => {
    const eve = await withRole('member');
    const { refreshToken, personId } = await eve.connect(app);
    const written = await auditDuring(async () => {
      for (let round = 0; round < 110; round++) await other.refresh(refreshToken);
    });
    expect(written.filter((line) => line.personId === personId)).toHaveLength(100);
  });
});

describe('a refusal on the way to consent has a line', () => {
  it.for([
    ['a redirect that is not registered', { redirect_uri: 'https://evil.example/' }, 'redirect_uri_invalid', true],
    ['a client that is not known', { client_id: 'nobody' }, 'client_unknown', false],
    ['no PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request', true],
    ['another resource', { resource: 'https://other.example/' }, 'invalid_target', true],
  ] as const)('%s', async ([, changes, reason, named]) => {
    const written = await auditDuring(async () => ada.browser.open(app.authorizationUrl(changes)));
    expect(written.map(told)).toEqual([`authorize_refused ${reason}`]);
    expect(written[0]).toMatchObject({ personId: adaId, clientId: named ? app.id : undefined });
  });

  it('before anybody has signed in it is about nobody', async () => {
    const written = await auditDuring(async () =>
      send(app.authorizationUrl({ redirect_uri: 'https://evil.example/' })),
    );
    expect(written.map(told)).toEqual(['authorize_refused redirect_uri_invalid']);
    expect(written[0]).toMatchObject({ personId: undefined, clientId: app.id });
  });

  const handleForm = ({ fields }: { fields: readonly { name: string }[] }) =>
    fields.some(({ name }) => name === 'handle');

  it('a question that was answered', async () => {
    const page = await ada.open(app);
    await ada.browser.submit(page, handleForm, { decision: 'deny' });
    const written = await auditDuring(async () => ada.browser.submit(page, handleForm, { decision: 'approve' }));
    expect(written.map(told)).toEqual(['consent_refused question_closed']);
    expect(written[0]?.personId).toBe(adaId);
  });

  it('a question to somebody else', async () => {
    const page = await ada.open(app);
    const ben = await withRole('member');
    const written = await auditDuring(async () => ben.browser.submit(page, handleForm, { decision: 'approve' }));
    expect(written.map(told)).toEqual(['consent_refused other_person']);
    expect(written[0]?.personId).toBe(await ben.id());
  });

  it('a registration', async () => {
    const written = await auditDuring(async () =>
      expect(OAuthClient.register({ redirect_uris: ['javascript:alert(1)'] })).rejects.toThrow('400'),
    );
    expect(written.map(({ action }) => action)).toEqual(['registration_refused']);
  });
});

it('reading the metadata is sampled', async () => {
  const read = async () => (await send('/.well-known/oauth-authorization-server')).json();
  await read();
  expect(await auditDuring(async () => Promise.all(Array.from({ length: 20 }, read)))).toEqual([]);
});

describe('the story of each app that wanted to connect', () => {
  const story = async (visitor: Visitor) => {
    const { body } = await visitor.browser.open('/account/connections');
    return [...body.matchAll(/<article.*?<\/article>/gs)].map(([article]) =>
      article
        .replaceAll(/<[^>]+>/g, ' ')
        .replaceAll(/\d{4}-\d{2}-\d{2} \d{2}:\d{2} UTC/g, '')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    );
  };

  it('says how far it came', async () => {
    const visitor = await withRole('member');
    expect((await visitor.browser.open('/account/connections')).body).toContain('No app has sent you here');
    const reading = await OAuthClient.register({ client_name: 'Reading' });
    const page = await visitor.open(reading);
    expect(await story(visitor)).toEqual([
      'Reading Unverified: this app named itself Since It registered here It sent you here, and you were signed in You allowed it has not happened yet It fetched its access did not happen It made its first call did not happen',
    ]);
    await visitor.browser.submit(page, ({ fields }) => fields.some(({ name }) => name === 'handle'), {
      decision: 'deny',
    });
    expect((await story(visitor))[0]).toContain('It stopped here You denied it.');
    const code = codeOf(await visitor.allow(reading));
    await reading.redeem(code, { code_verifier: 'x'.repeat(50) });
    const [newest, before] = await story(visitor);
    expect(newest).toContain('You allowed it It fetched its access did not happen');
    expect(newest).toContain('It stopped here It could not prove that it is the program that asked (PKCE)');
    expect(before).toContain('You denied it.');
  });

  it('ends with the first call, and again when it is disconnected', async () => {
    const visitor = await withRole('member');
    const reading = await OAuthClient.register({ client_name: 'Reading' });
    const { accessToken, refreshToken } = await visitor.connect(reading);
    await send('/files', { headers: { Authorization: `Bearer ${accessToken}` } });
    expect(await story(visitor)).toEqual([
      'Reading Unverified: this app named itself Since It registered here It sent you here, and you were signed in You allowed it It fetched its access It made its first call',
    ]);
    await reading.revoke(refreshToken);
    expect((await story(visitor))[0]).toContain('It stopped here It was disconnected.');
  });

  it('begins with nothing that came with a token, whoever is named in it', async () => {
    const visitor = await withRole('member');
    const reading = await OAuthClient.register({ client_name: 'Reading' });
    const { accessToken, refreshToken } = await visitor.connect(reading);
    await send('/files', { headers: { Authorization: `Bearer ${accessToken}` } });
    const [outward = '', grantId = ''] = refreshToken.split(':');
    const before = await story(visitor);
    for (const secret of ['none:none', `${grantId}:none`]) await reading.refresh(`${outward}:${secret}`);
    for (const n of times(20, (index) => index)) {
      const sly = await OAuthClient.register({
        client_name: `Your account was locked, write to help-${n}@evil.example`,
      });
      await sly.refresh(n % 2 === 0 ? `${outward}:none:none` : refreshToken);
    }
    expect(await story(visitor)).toEqual(before);
  });

  it('says that an answer came too late, and not of one that came twice', async () => {
    const visitor = await withRole('member');
    const reading = await OAuthClient.register({ client_name: 'Reading' });
    const answer = async (page: BrowserPage) =>
      visitor.browser.submit(page, ({ fields }) => fields.some(({ name }) => name === 'handle'), {
        decision: 'approve',
      });
    const late = await visitor.open(reading);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 601_000 });
    onTestFinished(() => void vi.useRealTimers());
    await answer(late);
    expect((await story(visitor))[0]).toContain('It stopped here The page was answered before');
    vi.useRealTimers();
    const page = await visitor.open(reading);
    const { url } = await answer(page);
    await reading.redeem(codeOf(url));
    const before = await story(visitor);
    await answer(page);
    expect(await story(visitor)).toEqual(before);
  });

  it('tells nothing of anybody else, and shows names as text', async () => {
    const [one, two] = [await withRole('member'), await withRole('member')];
    const client = await OAuthClient.register({ client_name: '<b>Bold</b>' });
    await one.open(client);
    await two.browser.open(client.authorizationUrl({ client_id: 'stale' }));
    expect(await story(one)).toHaveLength(1);
    expect((await one.browser.open('/account/connections')).body).toContain('&lt;b&gt;Bold&lt;/b&gt;');
    const stale = await story(two);
    expect(stale).toHaveLength(1);
    expect(stale[0]).toContain('An app that is not known here');
    expect(stale[0]).toContain('Remove this server in the app, then add it again.');
  });
});

it('somebody who is not signed in signs in first', async () => {
  const page = await new Person().browser.open('/account/connections');
  expect([page.url.pathname, page.url.searchParams.get('return_to')]).toEqual(['/sign-in', '/account/connections']);
});
