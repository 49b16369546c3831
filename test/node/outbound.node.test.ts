import { expect, test, vi } from 'vitest';

import { refuseRedirects } from '../../src/http/outbound.ts';

test('what this Worker fetches is not fetched from elsewhere, unless that is asked for', async () => {
  const asked: (RequestInit | undefined)[] = [];
  vi.stubGlobal('fetch', async (_input: unknown, init?: RequestInit) => {
    asked.push(init);
    return new Response(null, { status: 302, headers: { Location: 'https://elsewhere.example/' } });
  });
  refuseRedirects();
  expect((await fetch('https://app.example/client.json', { headers: { Accept: 'application/json' } })).ok).toBe(false);
  await fetch('https://app.example/', { redirect: 'follow' });
  expect(asked).toEqual([{ redirect: 'manual', headers: { Accept: 'application/json' } }, { redirect: 'follow' }]);
  vi.unstubAllGlobals();
});
