import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../scripts/lib/paths.ts';

// Real servers and scripts run in these; on a busy machine one start takes seconds.
export const SLOW = { timeout: 120_000 };

const WORKER = `
import { DurableObject } from 'cloudflare:workers';
CLASSES
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === '/healthz' && env.GRANT_IDLE_DAYS !== '30')
      return Response.json({ detail: 'The configuration is wrong: GRANT_IDLE_DAYS must be a number.' }, { status: 503, headers: { 'Content-Type': 'application/problem+json' } });
    if (pathname === '/healthz') return new Response('ok');
    if (pathname === '/event') console.log(JSON.stringify({ type: 'tool_called', tool: 'session_list', outcome: 'ok', milliseconds: 2, personId: 'per_1' }));
    if (pathname === '/failure') console.error(JSON.stringify({ type: 'tool_failed', tool: 'session_list', requestId: 'r1', error: { name: 'TypeError', message: 'it gave nothing' } }));
    if (pathname === '/vars') return Response.json({ deployment: env.DEPLOYMENT, dev: env.DEV_SIGN_IN, secret: env.CARREL_SECRET, extra: env.EXTRA });
    if (pathname === '/add') await env.DIRECTORY.prepare('INSERT INTO guests (name) VALUES (?)').bind('Ada').run();
    if (pathname === '/fail') throw new Error('the Worker fell over');
    return Response.json((await env.DIRECTORY.prepare('SELECT name FROM guests').all()).results);
  },
  scheduled() {},
};
`;

// Of one test file: vitest loads this module anew for each.
const temporary: string[] = [];

/** A new folder, which goes with removeFolders(). */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'carrel-start-test-'));
  temporary.push(path);
  return path;
}

/** For the afterAll of each file that calls folder() or makeCheckout(). */
export function removeFolders(): void {
  for (const path of temporary) rmSync(path, { recursive: true, force: true });
}

/** A checkout with this project's scripts and wrangler.toml, and a small Worker in place of Carrel. */
export function makeCheckout(): string {
  const root = folder();
  for (const name of ['wrangler.toml', 'package.json', 'scripts', 'src']) {
    mkdirSync(join(root, 'src'), { recursive: true });
    cpSync(join(ROOT, name), join(root, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  const classes = new Set(
    [...readFileSync(join(root, 'wrangler.toml'), 'utf8').matchAll(/^class_name = "(\w+)"/gm)].map(([, name]) => name),
  );
  writeFileSync(
    join(root, 'src/index.ts'),
    WORKER.replace('CLASSES', [...classes].map((name) => `export class ${name} extends DurableObject {}`).join('\n')),
  );
  mkdirSync(join(root, 'migrations'));
  writeFileSync(join(root, 'migrations/0001_guests.sql'), 'CREATE TABLE guests (name TEXT) STRICT;');
  return root;
}
