import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { approve } from '../../scripts/client/browser.ts';
import { call } from '../../scripts/client/mcp.ts';
import { APPROVALS_SCOPE } from '../../src/approvals/model.ts';
import { SAMPLE } from '../../src/http/samples.ts';
import { DEVICE_GRANT } from '../../src/oauth/model.ts';
import { useDeployment } from './support/deployment.ts';
import { bearer, signUp } from './support/people.ts';

const deployment = useDeployment();
const shell = promisify(execFile);

it('the OpenAPI document of the real bundle is valid to a validator that is not ours', async () => {
  const text = await (await fetch(`${deployment.origin}/openapi.json`)).text();
  const document = JSON.parse(text) as { openapi: string; components: { schemas: object } };
  const validator = new Validator();
  const { valid, errors } = await validator.validate(document);
  expect([valid, errors]).toEqual([true, undefined]);
  expect(validator.version).toBe('3.1');
  // It would not find a reference that leads nowhere.
  const named = Object.keys(document.components.schemas);
  const meant = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
  expect(new Set(meant)).toEqual(new Set(named));
});

const hasCurl = await shell('/bin/sh', ['-c', 'command -v curl']).then(
  () => true,
  () => false,
);

/** Values of the examples with what there is for somebody new. */
async function realValues(): Promise<{ token: string; answering: string; values: Record<string, string> }> {
  const email = `${crypto.randomUUID()}@example.com`;
  const { client, token, browser } = await signUp(deployment.mcpUrl, email);
  const last = (address: string) => new URL(address).pathname.split('/').at(-1) ?? '';
  const form = async (fields: Record<string, string>) => {
    const answer = await fetch(`${deployment.origin}/token`, { method: 'POST', body: new URLSearchParams(fields) });
    return answer.json<{ refresh_token: string }>();
  };
  const { file } = await call<{ file: { id: string } }>(client, 'file_write', {
    path: 'table.csv',
    text: 'a,b\n1,2\n',
  });
  await call(client, 'file_write', { path: 'newer.csv', text: 'a,b\n1,2\n' });
  const expected = await call<{ file: { id: string }; upload: { url: string } }>(client, 'file_upload', {
    path: 'table.csv',
    size: 8,
  });
  const inParts = await call<{ upload: { url: string } }>(client, 'file_upload', {
    path: 'large.csv',
    size: 8,
    in_parts: true,
  });
  const link = await call<{ download: { url: string } }>(client, 'file_link', { file: file.id });
  const byTus = await fetch(`${deployment.origin}/files/tus`, {
    method: 'POST',
    headers: {
      ...bearer(token),
      'Tus-Resumable': '1.0.0',
      'Upload-Length': '8',
      'Upload-Metadata': `filename ${btoa('resumed.csv')}`,
    },
  });
  const { job } = await call<{ job: { id: string } }>(client, 'job_start', {
    definition: 'extract_text',
    input: { files: ['table.csv'] },
    wait: 50,
  });
  const page = await fetch(`${deployment.origin}/files?limit=1`, { headers: bearer(token) });
  const formAt = (path: string) => (each: { readonly action: string }) => each.action === path;
  const rules = await browser.open('/approvals/rules');
  await browser.submit(rules, formAt('/approvals/rules'), { tool: ['file_delete'] });
  await client.callTool({ name: 'file_delete', arguments: { file: file.id } });
  const made = await browser.submit(await browser.open('/account/tokens'), formAt('/account/tokens'), {
    name: 'Script',
    scope: [APPROVALS_SCOPE],
  });
  const answering = /carrel_pat_[0-9a-z]+/.exec(made.body)?.[0] ?? '';
  const waiting = await fetch(`${deployment.origin}/approvals`, { headers: bearer(answering) });
  const [held] = (await waiting.json<{ pending: { id: string }[] }>()).pending;
  await call(client, 'recipe_save', {
    recipe: 'weekly-report',
    title: 'Weekly report',
    plan: {
      inputs: { properties: { topic: { type: 'string' } }, required: ['topic'] },
      steps: [
        { do: 'tool', id: 'note', tool: 'state_set', arguments: { key: 'topic', value: { $ref: 'inputs.topic' } } },
      ],
    },
  });
  await client.close();

  const redirect = 'com.example.app:/callback';
  const registered = await fetch(`${deployment.origin}/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ client_name: 'App', redirect_uris: [redirect], token_endpoint_auth_method: 'none' }),
  });
  const { client_id: clientId } = await registered.json<{ client_id: string }>();
  const asTerminal = await fetch(`${deployment.origin}/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ client_name: 'Terminal', grant_types: [DEVICE_GRANT], token_endpoint_auth_method: 'none' }),
  });
  const { client_id: deviceClientId } = await asTerminal.json<{ client_id: string }>();
  const asked = await fetch(`${deployment.origin}/device_authorization`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: deviceClientId }),
  });
  const { device_code: deviceCode } = await asked.json<{ device_code: string }>();
  const code = async () => {
    const url = new URL('/authorize', deployment.origin);
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: redirect,
      code_challenge: SAMPLE.challenge,
      code_challenge_method: 'S256',
    }).toString();
    return (await approve(browser, url, email)).searchParams.get('code') ?? '';
  };
  const tokens = await form({
    grant_type: 'authorization_code',
    code: await code(),
    redirect_uri: redirect,
    code_verifier: SAMPLE.verifier,
    client_id: clientId,
  });
  return {
    token,
    answering,
    values: {
      [SAMPLE.approvalId]: held?.id ?? '',
      [SAMPLE.fileId]: file.id,
      [SAMPLE.expectedFileId]: expected.file.id,
      [SAMPLE.jobId]: job.id,
      [SAMPLE.partsAddress]: last(inParts.upload.url),
      [SAMPLE.tusAddress]: last(byTus.headers.get('Location') ?? ''),
      [SAMPLE.uploadAddress]: last(expected.upload.url),
      [SAMPLE.downloadAddress]: last(link.download.url),
      [SAMPLE.cursor]: (await page.json<{ next_cursor: string }>()).next_cursor,
      [SAMPLE.clientId]: clientId,
      [SAMPLE.deviceClientId]: deviceClientId,
      [SAMPLE.deviceCode]: deviceCode,
      [SAMPLE.code]: await code(),
      [SAMPLE.refreshToken]: tokens.refresh_token,
    },
  };
}

// The tests need nothing but npm; curl is on most machines, and not on all.
describe.runIf(hasCurl)('the curl lines of /docs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'carrel-docs-'));
  beforeAll(() => writeFileSync(join(folder, 'table.csv'), 'a,b\n1,2\n'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('do what the page says, as it shows them', { timeout: 120_000 }, async () => {
    const page = await (await fetch(`${deployment.origin}/docs`)).text();
    const plain = (html: string) =>
      html.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&amp;', '&');
    const shown = [...page.matchAll(/<code class="copy">(curl [^<]*)<\/code><p[^>]*>answers (\d+)/g)];
    expect(shown.length).toBeGreaterThan(20);
    const shared = await realValues();
    for (const [, html = '', status = ''] of shown) {
      let command = plain(html);
      const { uploadAddress, partsAddress, tusAddress, code, refreshToken, approvalId } = SAMPLE;
      const usedUp = [uploadAddress, partsAddress, tusAddress, code, refreshToken, approvalId];
      const isUsedUp = usedUp.some((value) => command.includes(value));
      const { token, answering, values } = isUsedUp ? await realValues() : shared;
      for (const [sample, real] of Object.entries(values)) command = command.replaceAll(sample, real);
      const measured = command.replace(/^curl /, "curl -s -o /dev/null -w '%{http_code}' ");
      const { stdout } = await shell('/bin/sh', ['-c', measured], {
        cwd: folder,
        env: { PATH: process.env['PATH'] ?? '', TOKEN: command.includes('/approvals') ? answering : token },
      });
      expect([command, stdout]).toEqual([command, status]);
    }
  });
});
