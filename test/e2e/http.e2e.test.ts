import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { digestOf, noise } from '../../scripts/client/bytes.ts';
import { call } from '../../scripts/client/mcp.ts';
import { useDeployment } from './support/deployment.ts';
import { PART_BYTES } from '../../src/files/model.ts';
import { bearer, signUp } from './support/people.ts';
import type { Person } from './support/people.ts';

const deployment = useDeployment();

let person: Person;

beforeAll(async () => {
  person = await signUp(deployment.mcpUrl, 'ada@example.com');
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A request over `node:http`: it follows no redirect, and may say any Host. */
async function ask(method: string, path: string, headers: OutgoingHttpHeaders = {}, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, deployment.origin).href, { method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += String(chunk)));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const PROGRAM = { Accept: 'application/json, */*' };
const PERSON = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const JSON_BODY = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' };
const TOO_LONG = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/list',
  params: { padding: 'x'.repeat(1_000_000) },
});

describe('every answer', () => {
  const LIST = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
  const kinds: [string, number, () => Promise<Answer>][] = [
    ['a page', 200, () => ask('GET', '/', PERSON)],
    ['JSON', 200, () => ask('GET', '/healthz')],
    ['readiness', 200, () => ask('GET', '/readyz')],
    ['metadata', 200, () => ask('GET', '/.well-known/oauth-authorization-server')],
    ['an event stream', 200, () => ask('POST', '/mcp', { ...JSON_BODY, ...bearer(person.token) }, LIST)],
    ['a list of files', 200, () => ask('GET', '/files', bearer(person.token))],
    ['the stylesheet', 200, async () => ask('GET', await stylesheet())],
    [
      'a preflight',
      204,
      () => ask('OPTIONS', '/mcp', { Origin: 'http://localhost:6274', 'Access-Control-Request-Method': 'POST' }),
    ],
    ['a redirect', 303, async () => ask('GET', await authorizePath(), PERSON)],
    ['a bad request', 400, () => ask('POST', '/mcp?readonly=maybe', { ...JSON_BODY, ...bearer(person.token) }, LIST)],
    [
      'an error of OAuth',
      401,
      () => ask('POST', '/token', { 'Content-Type': 'application/x-www-form-urlencoded' }, 'grant_type=x'),
    ],
    ['a challenge', 401, () => ask('POST', '/mcp', JSON_BODY, LIST)],
    ['a forged address', 403, () => ask('GET', '/download/forged.address')],
    ['nothing, for a program', 404, () => ask('GET', '/nowhere', PROGRAM)],
    ['nothing, for a person', 404, () => ask('GET', '/nowhere', PERSON)],
    ['a wrong method', 405, () => ask('DELETE', '/mcp', bearer(person.token))],
    ['too long a body', 413, () => ask('POST', '/mcp', { ...JSON_BODY, ...bearer(person.token) }, TOO_LONG)],
    ['another host', 421, () => ask('GET', '/', { Host: 'carrel.example.com' })],
  ];

  it.each(kinds)('bears the security headers and a request id of its own: %s (%i)', async (_kind, status, send) => {
    const first = await send();
    const second = await send();
    for (const answer of [first, second]) {
      expect(answer.status, answer.body).toBe(status);
      expect(answer.headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': expect.stringMatching(/^(same-origin|no-referrer)$/),
        'content-security-policy': expect.stringMatching(/default-src 'none'/),
        'x-request-id': expect.stringMatching(/^[0-9a-z]{20}$/),
      });
      expect(answer.headers['content-security-policy']).toMatch(/frame-ancestors 'none'|sandbox/);
      expect(answer.headers).not.toHaveProperty('server');
      expect(answer.headers).not.toHaveProperty('x-powered-by');
    }
    expect(first.headers['x-request-id']).not.toBe(second.headers['x-request-id']);
  });

  async function stylesheet(): Promise<string> {
    return /<link rel="stylesheet" href="([^"]+)"/.exec((await ask('GET', '/', PERSON)).body)?.[1] ?? '/none';
  }

  async function authorizePath(): Promise<string> {
    const redirect = 'http://127.0.0.1:33418/callback';
    const registration = JSON.stringify({
      redirect_uris: [redirect],
      token_endpoint_auth_method: 'none',
      client_name: 'X',
    });
    const { client_id: client } = JSON.parse((await ask('POST', '/register', JSON_BODY, registration)).body) as {
      client_id: string;
    };
    const query = { response_type: 'code', client_id: client, redirect_uri: redirect, code_challenge: 'x'.repeat(43) };
    return `/authorize?${new URLSearchParams({ ...query, code_challenge_method: 'S256', state: 's' }).toString()}`;
  }

  it('that is a file may be neither sniffed, nor framed, nor run', async () => {
    const { file } = await call<{ file: { id: string } }>(person.client, 'file_write', {
      path: 'page "of" ünïcode.html',
      text: '<script>alert(1)</script>',
    });
    const { download } = await call<{ download: { url: string } }>(person.client, 'file_link', { file: file.id });
    for (const [path, headers] of [
      [new URL(download.url).pathname, {}],
      [`/files/${file.id}`, bearer(person.token)],
    ] as const) {
      const answer = await ask('GET', path, { ...PERSON, ...headers });
      expect(answer.status).toBe(200);
      expect(answer.body).toBe('<script>alert(1)</script>');
      expect(answer.headers).toMatchObject({
        'content-security-policy': expect.stringMatching(/^sandbox/),
        'content-disposition': expect.stringMatching(/^attachment; /),
        'x-content-type-options': 'nosniff',
        'x-request-id': expect.stringMatching(/^[0-9a-z]{20}$/),
      });
    }
  });
});

describe('an error is a page to a person and problem+json to a program', () => {
  const errors: {
    status: number;
    code: string;
    request: string;
    headers?: OutgoingHttpHeaders;
    body?: string;
    signedIn?: true;
  }[] = [
    { status: 404, code: 'not_found', request: 'GET /nowhere' },
    { status: 404, code: 'not_found', request: 'POST /nowhere' },
    { status: 404, code: 'not_found', request: 'GET /files/fil_0123456789abcdefghjk', signedIn: true },
    { status: 403, code: 'forbidden', request: 'GET /download/forged.address' },
    { status: 405, code: 'unsupported', request: 'DELETE /' },
    { status: 405, code: 'unsupported', request: 'GET /token' },
    { status: 413, code: 'too_large', request: 'POST /register', headers: JSON_BODY, body: TOO_LONG },
    // Without Content-Length the bytes are counted as they come.
    {
      status: 413,
      code: 'too_large',
      request: 'POST /register',
      headers: { ...JSON_BODY, 'Transfer-Encoding': 'chunked' },
      body: TOO_LONG,
    },
    { status: 421, code: 'not_found', request: 'GET /', headers: { Host: 'carrel.example.com' } },
  ];

  it.each(errors)('$status $code: $request', async ({ status, code, request: line, headers, body, signedIn }) => {
    const [method = '', path = ''] = line.split(' ');
    const own = { ...headers, ...(signedIn ? bearer(person.token) : {}) };
    const forProgram = await ask(method, path, { ...own, ...PROGRAM }, body);
    expect(forProgram.status).toBe(status);
    expect(forProgram.headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(forProgram.body)).toMatchObject({
      type: 'about:blank',
      title: expect.stringMatching(/./),
      detail: expect.stringMatching(/\.$/),
      status,
      code,
      request_id: forProgram.headers['x-request-id'],
    });

    const forPerson = await ask(method, path, { ...own, ...PERSON }, body);
    expect(forPerson.status).toBe(status);
    expect(forPerson.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(forPerson.body).toMatch(/^<!doctype html>/i);
    expect(forPerson.body).toContain(String(forPerson.headers['x-request-id']));
  });
});

describe('methods', () => {
  it.each([
    ['/', ['GET', 'HEAD']],
    ['/healthz', ['GET', 'HEAD']],
    ['/token', ['OPTIONS', 'POST']],
    ['/register', ['OPTIONS', 'POST']],
    ['/authorize', ['GET', 'HEAD', 'POST']],
    ['/approvals', ['GET', 'HEAD']],
    ['/approvals/rules', ['GET', 'HEAD', 'POST']],
    ['/approvals/apr_0123456789abcdefghjk', ['GET', 'HEAD']],
    ['/approvals/apr_0123456789abcdefghjk/approve', ['POST']],
    ['/approvals/apr_0123456789abcdefghjk/deny', ['POST']],
    ['/files', ['GET', 'HEAD', 'OPTIONS', 'POST']],
    ['/files/zip', ['GET', 'HEAD', 'OPTIONS']],
    ['/files/links', ['OPTIONS', 'POST']],
    ['/files/fil_0123456789abcdefghjk', ['GET', 'HEAD', 'OPTIONS']],
    ['/files/tus', ['OPTIONS', 'POST']],
    ['/workflows/weekly/run', ['OPTIONS', 'POST']],
    ['/workflows/weekly/stop', ['OPTIONS', 'POST']],
    ['/jobs', ['GET', 'HEAD', 'OPTIONS', 'POST']],
    ['/jobs/job_0123456789abcdefghjk/events', ['GET', 'HEAD', 'OPTIONS']],
    ['/jobs/job_0123456789abcdefghjk/pause', ['OPTIONS', 'POST']],
    ['/upload/forged.address', ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PUT']],
    ['/download/forged.address', ['GET', 'HEAD', 'OPTIONS']],
    ['/.well-known/oauth-protected-resource/mcp', ['GET', 'HEAD', 'OPTIONS']],
  ])('405 names what %s answers', async (path, allowed) => {
    const { status, headers } = await ask('PATCH', path, { ...PROGRAM, ...bearer(person.token) });
    expect(status).toBe(405);
    expect(headers.allow?.split(', ').toSorted()).toEqual(allowed);
  });

  it('405 names what an upload by tus answers, PATCH too', async () => {
    const { status, headers } = await ask('PUT', '/tus/forged.address', PROGRAM);
    expect(status).toBe(405);
    const allowed = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST'];
    expect(headers.allow?.split(', ').toSorted()).toEqual(allowed);
  });

  it('405 of /mcp comes after the challenge', async () => {
    expect((await ask('GET', '/mcp')).status).toBe(401);
    // Whatever is tried: POST is all that there is, beside asking.
    for (const method of ['GET', 'DELETE', 'PUT', 'PATCH']) {
      const { status, headers } = await ask(method, '/mcp', bearer(person.token));
      expect(status, method).toBe(405);
      const allowed = headers.allow?.split(', ').filter((name) => name !== 'OPTIONS');
      expect(allowed, method).toEqual(['POST']);
    }
  });

  it('HEAD is GET without the body', async () => {
    const { file } = await call<{ file: { id: string } }>(person.client, 'file_write', {
      path: 'a.txt',
      text: 'eleven chars',
    });
    for (const [path, headers] of [
      ['/healthz', {}],
      ['/', PERSON],
      ['/nowhere', {}],
      ['/.well-known/oauth-authorization-server', {}],
      [`/files/${file.id}`, bearer(person.token)],
    ] as const) {
      const get = await ask('GET', path, headers);
      const head = await ask('HEAD', path, headers);
      expect(head.status, path).toBe(get.status);
      expect(head.headers['content-type'], path).toBe(get.headers['content-type']);
      expect(head.headers.etag, path).toBe(get.headers.etag);
      expect(head.body, path).toBe('');
      expect(get.body, path).not.toBe('');
    }
    const { headers } = await ask('HEAD', `/files/${file.id}`, bearer(person.token));
    expect(headers['content-length']).toBe('12');
  });
});

describe('pages of other origins', () => {
  const INSPECTOR = 'http://localhost:6274';
  const list = (header: string | string[] | undefined) => String(header).toLowerCase().split(/,\s*/);

  it.each([
    ['POST', '/mcp'],
    ['POST', '/token'],
    ['POST', '/register'],
    ['GET', '/.well-known/oauth-authorization-server'],
    ['GET', '/.well-known/oauth-protected-resource'],
    ['GET', '/.well-known/oauth-protected-resource/mcp'],
    ['POST', '/files'],
    ['PUT', '/upload/forged.address'],
    ['POST', '/files/tus'],
    ['PATCH', '/tus/forged.address'],
  ])('may ask before they %s %s', async (method, path) => {
    const wanted = ['authorization', 'content-type', 'mcp-protocol-version', 'mcp-method', 'mcp-name'];
    const { status, headers } = await ask('OPTIONS', path, {
      Origin: INSPECTOR,
      'Access-Control-Request-Method': method,
      'Access-Control-Request-Headers': wanted.join(','),
    });
    expect(status).toBe(204);
    expect(headers['access-control-allow-origin']).toBe(INSPECTOR);
    expect(list(headers['access-control-allow-methods'])).toContain(method.toLowerCase());
    expect(list(headers['access-control-allow-headers'])).toEqual(expect.arrayContaining(wanted));
    expect(list(headers.vary)).toContain('origin');
    // The answers are for tokens: a page gets nothing for the cookies that the browser has.
    expect(headers).not.toHaveProperty('access-control-allow-credentials');
  });

  it('may read what they get, errors too', async () => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const answers = {
      metadata: await ask('GET', '/.well-known/oauth-protected-resource/mcp', { Origin: INSPECTOR }),
      challenge: await ask('POST', '/mcp', { ...JSON_BODY, Origin: INSPECTOR }, '{}'),
      'bad request': await ask(
        'POST',
        '/mcp?toolsets=none',
        { ...JSON_BODY, ...bearer(person.token), Origin: INSPECTOR },
        '{}',
      ),
      'too large': await ask('POST', '/register', { ...JSON_BODY, Origin: INSPECTOR }, TOO_LONG),
      'error of OAuth': await ask('POST', '/token', { ...form, Origin: INSPECTOR }, 'grant_type=x'),
      'wrong method': await ask('GET', '/token', { Origin: INSPECTOR }),
    };
    for (const [kind, { headers }] of Object.entries(answers)) {
      expect(headers['access-control-allow-origin'], kind).toBe(INSPECTOR);
      expect(list(headers['access-control-expose-headers']), kind).toEqual(
        expect.arrayContaining(['www-authenticate', 'x-request-id']),
      );
    }
  });

  it('get nothing of what cookies open', async () => {
    for (const path of ['/', '/sign-in', '/authorize']) {
      const { headers } = await ask('GET', path, {
        ...PERSON,
        Origin: INSPECTOR,
        Cookie: person.browser.cookieHeader(),
      });
      expect(headers, path).not.toHaveProperty('access-control-allow-origin');
      const preflight = await ask('OPTIONS', path, { Origin: INSPECTOR, 'Access-Control-Request-Method': 'POST' });
      expect(preflight.headers, path).not.toHaveProperty('access-control-allow-origin');
    }
  });

  it('that are no program on this machine may not call /mcp', async () => {
    const headers = { ...JSON_BODY, ...bearer(person.token), Origin: 'https://elsewhere.example' };
    expect((await ask('POST', '/mcp', headers, '{}')).status).toBe(403);
  });
});

const shell = promisify(execFile);
const has = async (program: string) =>
  shell('/bin/sh', ['-c', `command -v ${program}`]).then(
    () => true,
    () => false,
  );
const hasCurl = await has('curl');
const hasPython = await has('python3');

// The tests need nothing but npm; curl is on most machines, and not on all.
describe.runIf(hasCurl)('the curl line of file_upload', () => {
  it.each(['plain.bin', `it's "quoted" $(touch gone) \`x\` [1-3] {a,b} ; & | *.bin`, '-o stdout.bin', '@ünï 文書.bin'])(
    'uploads %s as it stands',
    async (name) => {
      const folder = mkdtempSync(join(tmpdir(), 'carrel-curl-'));
      try {
        const known = await digestOf(noise(300_000, 'curl'));
        await writeFile(join(folder, name), noise(300_000, 'curl'));
        const { upload, file } = await call<{ upload: { command: string; url: string }; file: { id: string } }>(
          person.client,
          'file_upload',
          { path: name, ...known },
        );
        const { stdout } = await shell('/bin/sh', ['-c', upload.command], { cwd: folder });
        expect(JSON.parse(stdout)).toMatchObject({ file: { id: file.id, path: name, ...known } });
        // A second run is refused, and the line says so with its exit status and the reason.
        const refused = await shell('/bin/sh', ['-c', upload.command], { cwd: folder }).catch(
          (error: unknown) => error,
        );
        expect(refused).toMatchObject({ code: 22, stdout: expect.stringContaining('"code":"conflict"') });
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});

describe.runIf(hasPython)('the lines of Python of file_upload', () => {
  it.each([
    ['it\'s "quoted" {url} $(id) \u2019 文書 🦊.bin', false],
    ['in parts.bin', true],
  ])('upload %s as it stands', async (name, inParts) => {
    const folder = mkdtempSync(join(tmpdir(), 'carrel-python-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const size = inParts ? PART_BYTES + 1000 : 300_000;
    const known = await digestOf(noise(size, 'python'));
    await writeFile(join(folder, name), noise(size, 'python'));
    const { upload, file } = await call<{ upload: { command: string; url: string }; file: { id: string } }>(
      person.client,
      'file_upload',
      { path: `py/${name}`, ...known, shell: 'python', in_parts: inParts },
    );
    const run = async () => shell('python3', ['-c', upload.command], { cwd: folder });
    expect((await run()).stdout).toMatch(inParts ? /'state': '(?:verifying|committed)'/ : /'id': 'fil_/);
    const stored = async () =>
      (await ask('GET', `/files/${file.id}`, { ...bearer(person.token), Accept: 'application/json' })).body;
    await expect.poll(stored, { timeout: 20_000 }).toContain(known.sha256);
    // Run again, one in parts is there, and a single one is refused and says why.
    const again = await run().then(
      ({ stdout }) => stdout,
      ({ stderr }: { stderr: string }) => stderr,
    );
    expect(again).toMatch(inParts ? /'state': 'committed'/ : /"code":"conflict"/);
  });
});

describe.runIf(hasCurl)('a form that curl sends', () => {
  it('stores its files, which come back as they were', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'carrel-form-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const names = ['large.bin', 'it\'s "quoted"; 文書.bin'];
    // Each with bytes of its own.
    const size = (name: string) => 6_000_000 + name.length;
    const known = await Promise.all(names.map(async (name) => digestOf(noise(size(name), 'form'))));
    for (const name of names) await writeFile(join(folder, name), noise(size(name), 'form'));
    const files = names.flatMap((name) => ['-F', `file=@"${name.replaceAll('"', String.raw`\"`)}"`]);
    const token = ['-H', `Authorization: Bearer ${person.token}`];
    const { stdout } = await shell(
      'curl',
      ['-sS', ...token, '-F', 'folder=sent', ...files, `${deployment.origin}/files`],
      {
        cwd: folder,
      },
    );
    const { files: stored, refused } = JSON.parse(stdout) as {
      files: { file: { id: string; path: string; sha256: string } }[];
      refused: unknown[];
    };
    expect(refused).toEqual([]);
    expect(stored.map(({ file }) => [file.path, file.sha256])).toEqual(
      names.map((name, index) => [`sent/${name}`, known[index]?.sha256]),
    );
  });
});
