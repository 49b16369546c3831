import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';

import type { Bindings } from '../../src/app.ts';
import { DirectoryRepo } from '../../src/directory/repo.ts';
import { utf8 } from '../../src/lib/encoding.ts';
import { browserAt, configured, ISSUER, lastLine, somebody, startApp, useCampus } from '../support/campus.ts';
import { FakeIssuer, newKeyPair, now } from '../support/fake-issuer.ts';
import type { TokenChanges } from '../support/fake-issuer.ts';
import { ORIGIN } from '../support/person.ts';

const bindings = env as unknown as Bindings;
const campus = useCampus();

describe('an issuer', () => {
  it('signs people in, who come back to where they wanted to go', async () => {
    const person = somebody();
    const link = await campus.begin();
    expect(`${link.origin}${link.pathname}`).toBe(`${ISSUER}/authorize`);
    expect(Object.fromEntries(link.searchParams)).toMatchObject({
      response_type: 'code',
      client_id: 'carrel',
      redirect_uri: `${ORIGIN}/sign-in/campus/callback`,
      scope: 'openid email profile',
      code_challenge_method: 'S256',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    });
    const page = await campus.browser.open(campus.issuer.authorize(link, person));
    expect([page.status, page.url.search]).toEqual([200, '?back']);
    expect(page.body).toContain(person.email);
    expect(await lastLine()).toMatchObject({ action: 'signed_in', detail: { provider: 'campus' } });
  });

  it('is told to ask again where the settings say so', async () => {
    const chosen = startApp({
      OIDC_PROVIDERS: JSON.stringify([{ ...configured('campus'), prompt: 'select_account' }]),
    });
    const link = await campus.begin(browserAt(chosen));
    expect(link.searchParams.get('prompt')).toBe('select_account');
    expect((await campus.begin()).searchParams.has('prompt')).toBe(false);
  });

  it('is asked for what it published once, and for nothing of the next person', async () => {
    await campus.signIn({ ...somebody(), groups: [] });
    await campus.signIn({ ...somebody(), groups: [] }, campus.newBrowser());
    expect(campus.issuer.asked).toEqual(['/.well-known/openid-configuration', '/token', '/jwks', '/token']);
  });

  it('is asked for the address and the groups where its token has none', async () => {
    campus.issuer.userinfo = { email: 'far@elsewhere.example', email_verified: true, groups: 'staff' };
    const page = await campus.signIn({ sub: 'sub-far' });
    expect(page.body).toContain('far@elsewhere.example');
  });

  it('may change its key at any time', async () => {
    await campus.signIn(somebody());
    await campus.issuer.rotate('key-2');
    expect((await campus.signIn(somebody(), campus.newBrowser())).status).toBe(200);
    // The same name for another key.
    await campus.issuer.rotate('key-2');
    expect((await campus.signIn(somebody(), campus.newBrowser())).status).toBe(200);
  });

  it('may name no key where it has one', async () => {
    campus.issuer.changes = { header: { kid: undefined } };
    expect((await campus.signIn(somebody())).status).toBe(200);
  });

  it.each([
    ['expired', { exp: now() - 40 }],
    ['issued in the future', { iat: now() + 40 }],
    ['not yet valid', { nbf: now() + 40 }],
    ['for us beside others', { aud: ['carrel', 'another'], azp: 'carrel' }],
  ])('may have a token that is a little %s', async (_what, claims) => {
    campus.issuer.changes = { claims };
    expect((await campus.signIn(somebody())).status).toBe(200);
  });

  it('gives the same person by subject, whatever their address is now', async () => {
    await campus.signIn({ sub: 'moved', email: 'before@example.com', email_verified: true });
    const again = await campus.signIn(
      { sub: 'moved', email: 'after@elsewhere.example', email_verified: false },
      campus.newBrowser(),
    );
    expect(again.status).toBe(200);
    expect(again.body).toContain('before@example.com');
  });

  it('cannot speak for another issuer that has its name later', async () => {
    const directory = new DirectoryRepo(bindings.DIRECTORY);
    await campus.signIn({ sub: 'same', email: 'same@example.com', email_verified: true });
    const first = await directory.personByIdentity({ provider: 'campus', subject: `${ISSUER}#same` });
    campus.issuer = await FakeIssuer.create('https://new.example');
    const moved = startApp({ OIDC_PROVIDERS: JSON.stringify([configured('campus', campus.issuer.url)]) });
    await campus.signIn({ sub: 'same', email: 'someone-else@example.com', email_verified: true }, browserAt(moved));
    const second = await directory.personByIdentity({ provider: 'campus', subject: `${campus.issuer.url}#same` });
    expect(first?.id).not.toBe(second?.id);
    expect([first?.email, second?.email]).toEqual(['same@example.com', 'someone-else@example.com']);
  });
});

describe('who may enter', () => {
  it.each([
    ['an address that nobody verified', { email: 'eve@example.com', email_verified: false }],
    ['an address of which nothing is said', { email: 'eve@example.com' }],
    ['a proof that is no yes', { email: 'eve@example.com', email_verified: 1 }],
    ['an address elsewhere', { email: 'eve@example.com.evil.example', email_verified: true }],
    ['an address with two ats', { email: 'eve@evil.example@example.com', email_verified: true }],
    ['no address', {}],
    ['groups of another kind', { groups: { staff: true } }],
    ['a group that contains the right one', { groups: ['staff-guests', 'Staff', ['staff']] }],
  ])('not with %s', async (_what, claims) => {
    expect(await campus.refusal(await campus.signIn({ sub: 'eve', ...claims }))).toBe('campus: not_admitted');
  });

  it('not with the address of one answer and the proof of another', async () => {
    campus.issuer.userinfo = { email: 'eve@evil.example', email_verified: true };
    expect(await campus.refusal(await campus.signIn({ sub: 'eve', email: 'ada@example.com' }))).toBe(
      'campus: not_admitted',
    );
  });

  it.each([['staff'], [['guests', 'staff']]])('with the group %j', async (groups) => {
    const page = await campus.signIn({ sub: `grouped-${JSON.stringify(groups)}`, groups });
    expect(page.status).toBe(200);
  });

  it('says yes as text, as some do', async () => {
    expect((await campus.signIn({ ...somebody(), email_verified: 'true' })).status).toBe(200);
  });
});

/** With the issuer's public key as the secret, which everybody knows. */
async function hmac(signed: string): Promise<Uint8Array> {
  const secret = utf8(JSON.stringify(await campus.issuer.publicKey()));
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, utf8(signed)));
}

describe('an ID token', () => {
  it.each<[string, string, TokenChanges]>([
    ['of another issuer', 'wrong_issuer', { claims: { iss: 'https://evil.example' } }],
    ['of nobody', 'malformed_answer', { claims: { iss: undefined } }],
    ['for another client', 'wrong_audience', { claims: { aud: 'another' } }],
    ['for several clients and us', 'wrong_audience', { claims: { aud: ['carrel', 'another'] } }],
    ['made for another client', 'wrong_audience', { claims: { azp: 'another' } }],
    ['for several, made for another', 'wrong_audience', { claims: { aud: ['carrel', 'another'], azp: 'another' } }],
    ['of another sign-in', 'wrong_nonce', { claims: { nonce: 'another' } }],
    ['of no sign-in', 'wrong_nonce', { claims: { nonce: undefined } }],
    ['that expired', 'expired', { claims: { exp: now() - 120 } }],
    ['that never expires', 'malformed_answer', { claims: { exp: undefined } }],
    ['issued in the future', 'from_the_future', { claims: { iat: now() + 3600 } }],
    ['not valid yet', 'from_the_future', { claims: { nbf: now() + 3600 } }],
    ['without a signature', 'unsigned', { header: { alg: 'none' }, sign: async () => new Uint8Array() }],
    ['without a signature, in capitals', 'unsigned', { header: { alg: 'NONE' }, sign: async () => new Uint8Array() }],
    ['signed with what everybody knows', 'wrong_algorithm', { header: { alg: 'HS256' }, sign: hmac }],
    ['of an algorithm not announced', 'malformed_answer', { header: { alg: 'ES256' } }],
    ['signed by nobody', 'bad_signature', { sign: async () => new Uint8Array(256) }],
    ['with a key that is not published', 'bad_signature', { header: { kid: 'key-of-mine' } }],
    ['with extensions', 'unsupported_answer', { header: { crit: ['x'], x: 1 } }],
    ['that is none', 'malformed_answer', { token: 'not.a.token' }],
    ['with a subject that is too long', 'malformed_answer', { claims: { sub: 'x'.repeat(256), groups: [] } }],
    ['with a subject that is no text', 'malformed_answer', { claims: { sub: 7 } }],
  ])('%s is refused as %s', async (_what, reason, changes) => {
    campus.issuer.changes = changes;
    expect(await campus.refusal(await campus.signIn(somebody()))).toBe(`campus: ${reason}`);
  });

  it('signed with another key is refused, also when the right one is remembered', async () => {
    await campus.signIn(somebody(), campus.newBrowser());
    campus.issuer.changes = { key: (await newKeyPair()).privateKey };
    expect(await campus.refusal(await campus.signIn(somebody()))).toBe('campus: bad_signature');
  });

  it('whose issuer says that no signature will do is refused', async () => {
    campus.issuer.metadata = { id_token_signing_alg_values_supported: ['none', 'HS256', 'RS256'] };
    campus.issuer.changes = { header: { alg: 'none' }, sign: async () => new Uint8Array() };
    expect(await campus.refusal(await campus.signIn(somebody()))).toBe('campus: unsigned');
    campus.issuer.changes = { header: { alg: 'HS256' }, sign: hmac };
    expect(await campus.refusal(await campus.signIn(somebody()))).toBe('campus: wrong_algorithm');
  });

  it('that is missing is refused', async () => {
    campus.issuer.answers.set('/token', async () => Response.json({ access_token: 'a', token_type: 'Bearer' }));
    expect(await campus.refusal(await campus.signIn(somebody()))).toBe('campus: malformed_answer');
  });

  it('of one person with the address of another is refused', async () => {
    campus.issuer.userinfo = { sub: 'ada', email: 'ada@example.com', email_verified: true };
    expect(await campus.refusal(await campus.signIn({ sub: 'eve' }))).toBe('campus: wrong_subject');
  });
});
