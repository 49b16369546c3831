import { describe, expect, it } from 'vitest';

import { Browser, signInWithEmail } from '../../scripts/client/browser.ts';
import { useDeployment } from './support/deployment.ts';
import { operate } from './support/operator.ts';
import { bearer, signUp } from './support/people.ts';

const deployment = useDeployment();

const run = async (script: string, ...args: string[]) => operate(deployment, script, ...args);

const status = async (token: string) => (await fetch(`${deployment.origin}/files`, { headers: bearer(token) })).status;

describe('the commands of the operator', { timeout: 60_000 }, () => {
  it('claim the deployment', async () => {
    const { output } = await run('owner-code');
    expect(output).toContain(`${deployment.origin}/claim`);
    const code = /^ {2}(\w{20,24})$/m.exec(output)?.[1] ?? '';
    const browser = new Browser(deployment.origin);
    const page = await browser.submit(await browser.open('/claim'), ({ action }) => action === '/claim', { code });
    expect(page.url.pathname).toBe('/sign-in');
    await signInWithEmail(browser, page, 'owner@example.com');
    expect((await browser.open('/admin/people')).status).toBe(200);
  });

  it('list, disable and enable people', async () => {
    const { token, browser } = await signUp(deployment.mcpUrl, 'ada@example.com');
    expect(await status(token)).toBe(200);
    const listed = await run('people', 'list');
    expect(listed.output).toMatch(/per_\w{20} {2}owner {4}owner@example\.com/);
    expect(listed.output).toMatch(/per_\w{20} {2}member {3}ada@example\.com/);

    expect((await run('people', 'disable', 'ada@example.com', '--dry-run')).output).toContain('Nothing was done');
    expect(await status(token)).toBe(200);
    expect((await run('people', 'disable', 'ada@example.com')).output).toContain('member, disabled');
    expect(await status(token)).toBe(401);
    expect((await browser.open('/account')).url.pathname).toBe('/sign-in');
    expect((await run('people', 'list')).output).toMatch(/ada@example\.com.*disabled/);
    expect((await run('people', 'enable', 'ada@example.com')).output).toContain('member, enabled');
    expect(await status(token)).toBe(200);
  });

  it('compare the index of files with the bucket', async () => {
    const { token } = await signUp(deployment.mcpUrl, 'files@example.com');
    const headers = { ...bearer(token), 'Content-Type': 'text/plain' };
    const stored = await fetch(`${deployment.origin}/files?path=a.txt`, { method: 'POST', body: 'kept', headers });
    expect(stored.status).toBe(201);
    const { output, status: ended } = await run('files', '--mend', '--hours', '0');
    expect(ended, output).toBe(0);
    expect(output).toMatch(/✔ files@example\.com +1 object, 0 KB/);
    expect(output).toContain('All that the indexes name is there. All that is there is named.');
    expect((await run('files', 'extra')).status).toBe(1);
    expect((await run('files', '--hours', '-1')).status).toBe(1);
  });

  it('delete a person with what they kept, and say first what goes', async () => {
    const { token } = await signUp(deployment.mcpUrl, 'grace@example.com');
    const headers = { ...bearer(token), 'Content-Type': 'text/plain' };
    const stored = await fetch(`${deployment.origin}/files?path=a.txt`, { method: 'POST', body: 'kept', headers });
    expect(stored.status).toBe(201);
    for (const options of [[], ['--dry-run'], ['--dry-run', '--yes']]) {
      const { output } = await run('people', 'delete', 'grace@example.com', ...options);
      expect(output).toContain('Nothing was done');
      expect(output).toContain('Connected apps: 1');
    }
    expect(await status(token)).toBe(200);
    expect((await run('people', 'delete', 'grace@example.com', '--yes')).output).toContain('with 1 stored files');
    expect(await status(token)).toBe(401);
    const gone = await run('people', 'delete', 'grace@example.com', '--yes');
    expect([gone.status, gone.output.includes('There is no person')]).toEqual([1, true]);
    // Who comes again is somebody new, with nothing.
    const again = await signUp(deployment.mcpUrl, 'grace@example.com');
    const files = await fetch(`${deployment.origin}/files`, { headers: bearer(again.token) });
    expect(await files.text()).not.toContain('a.txt');
  });

  it('show the audit', async () => {
    const { output } = await run('audit', '--since', '1h');
    for (const action of ['owner_claimed', 'person_disabled', 'person_enabled', 'person_deleted', 'consent_given'])
      expect(output).toContain(action);
    expect(output).toMatch(/person_disabled +ada@example\.com {2}by=operator/);
    const { output: lines } = await run('audit', '--action', 'person_deleted', '--json');
    expect(JSON.parse(lines)).toMatchObject({ action: 'person_deleted', detail: { by: 'operator', objects: 1 } });
  });

  it.each([
    ['people', ['remove', 'x'], 'Say list'],
    ['people', ['disable'], 'Say list'],
    ['people', ['disable', 'nobody@example.com'], 'There is no person'],
    ['audit', ['--since', 'yesterday'], '--since takes'],
    ['audit', ['--action', 'nothing'], 'There is no such action'],
    ['audit', ['--limit', '0'], '--limit takes'],
  ])('%s %s say what is wrong', async (script, args, problem) => {
    const result = await run(script, ...args);
    expect([result.status, result.output.includes(problem)]).toEqual([1, true]);
  });
});

describe('the way of the operator', () => {
  it.each([
    ['no signature', {}],
    ['an invented one', { 'Carrel-Operator': `${Date.now()}.${'A'.repeat(43)}` }],
    ['an empty one', { 'Carrel-Operator': '' }],
  ])('is closed to %s', async (_what, headers) => {
    const body = JSON.stringify({ command: 'inspect', person: 'per_00000000000000000000' });
    const response = await fetch(`${deployment.origin}/operator`, { method: 'POST', body, headers });
    expect(response.status).toBe(403);
  });
});
