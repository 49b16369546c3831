import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, describe, expect, it, vi } from 'vitest';

import { ROOT } from '../../scripts/lib/paths.ts';
import { ForgeProvider } from '../support/forge-provider.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const page = read('docs/your-own-identity-provider.md');
const redirectUri = 'https://carrel.example/sign-in/forge/callback';

afterEach(() => vi.restoreAllMocks());

describe('the tutorial of an identity provider of your own', () => {
  it('prints the code that is tried here, as it would stand beside the others', () => {
    const printed = /```ts\n(?<code>.*?)```/s.exec(page)?.groups?.['code'];
    const there = read('test/support/forge-provider.ts')
      .replaceAll("'../../src/identity/providers/", "'./")
      .replaceAll("'../../src/identity/", "'../");
    expect(printed).toBe(there);
  });

  it('points to what is there', () => {
    const paths = [...page.matchAll(/`((?:src|test|docs)\/[\w./-]+\w)`/g)].map(([, path = '']) => path);
    expect(paths.length).toBeGreaterThan(5);
    for (const path of paths.filter((each) => !each.endsWith('/forge.ts')))
      expect(() => read(path), path).not.toThrow();
  });

  it('has a provider that exists with its settings alone', () => {
    expect([new ForgeProvider({}).exists(), new ForgeProvider({ forge: { id: 'a', secret: 'b' } }).exists()]).toEqual([
      false,
      true,
    ]);
  });

  it('has a provider that signs people in, and refuses what it must', async () => {
    const provider = new ForgeProvider({ forge: { id: 'carrel', secret: 'the-secret' } });
    let user: object = { id: 7, name: 'ada', email: 'ada@example.com', confirmed: true };
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (address) =>
      Response.json(new Request(address).url.endsWith('/token') ? { access_token: 'a-token' } : user),
    );
    const { location, kept } = await provider.begin(redirectUri, 'the-state');
    expect(new URL(location).searchParams.get('redirect_uri')).toBe(redirectUri);
    const answer = async (query: string) =>
      provider.finish(new URL(`${redirectUri}?${query}`), redirectUri, 'the-state', kept);

    expect(await answer('code=a&state=the-state')).toMatchObject({ ok: true, identity: { subject: '7' } });
    expect(await answer('code=a&state=another')).toMatchObject({ ok: false, reason: 'state_differs' });
    expect(await answer('error=denied&state=the-state')).toMatchObject({ ok: false, reason: 'provider_said_no' });
    expect(await answer('code=a&code=b&state=the-state')).toMatchObject({ ok: false, reason: 'malformed_answer' });
    user = { id: '7' };
    expect(await answer('code=a&state=the-state')).toMatchObject({ ok: false, reason: 'malformed_answer' });
  });
});
