import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runDeploy } from '../../scripts/lib/deploy/run.ts';
import { deployedTarget, ownerCode } from '../../scripts/lib/operator.ts';
import { ROOT } from '../../scripts/lib/paths.ts';
import { readSecretsFile } from '../../scripts/lib/secrets.ts';
import { ACCOUNT_ID, CloudflareStandIn } from '../support/cloudflare-api.ts';

// The real wrangler runs in these; on a busy machine one run takes seconds.
const SLOW = { timeout: 120_000 };

/** A checkout with this project's wrangler.toml, a Worker of a few lines and migrations of its own. */
function makeCheckout(): string {
  const root = mkdtempSync(join(tmpdir(), 'carrel-deploy-test-'));
  mkdirSync(join(root, 'src'));
  for (const name of ['wrangler.toml', 'package.json', 'scripts', 'src'])
    cpSync(join(ROOT, name), join(root, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  const config = readFileSync(join(root, 'wrangler.toml'), 'utf8');
  const classes = new Set([...config.matchAll(/^class_name = "(\w+)"/gm)].map(([, name]) => name));
  writeFileSync(
    join(root, 'src/index.ts'),
    [
      `import { DurableObject } from 'cloudflare:workers';`,
      ...[...classes].map((name) => `export class ${name} extends DurableObject {}`),
      `export default { fetch: async () => new Response((await import('./later.ts')).TEXT), scheduled() {} };`,
    ].join('\n'),
  );
  writeFileSync(join(root, 'src/later.ts'), `export const TEXT = 'ok';`);
  mkdirSync(join(root, 'migrations'));
  addMigration(root, '0001_people.sql', 'CREATE TABLE people (id TEXT PRIMARY KEY) STRICT;');
  return root;
}

function addMigration(root: string, name: string, sql: string): void {
  writeFileSync(join(root, 'migrations', name), sql);
}

describe('npm run deploy, with the real wrangler and a stand-in for Cloudflare', () => {
  let cloudflare: CloudflareStandIn;
  let root: string;
  let config: string;

  beforeAll(async () => {
    cloudflare = new CloudflareStandIn();
    await cloudflare.start();
    root = makeCheckout();
    config = mkdtempSync(join(tmpdir(), 'carrel-config-'));
  });
  afterAll(async () => {
    await cloudflare.stop();
    for (const folder of [root, config]) rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    cloudflare.requests.length = 0;
  });

  const home = () => ({ PATH: process.env['PATH'], HOME: config, XDG_CONFIG_HOME: config });

  /** Runs a deployment; `output` is all that was printed, or thrown as a sentence. */
  async function deploy(...args: string[]): Promise<{ output: string; failed: boolean }> {
    let output = '';
    const write = (text: string): void => void (output += stripVTControlCharacters(text));
    try {
      await runDeploy({ args, root, env: { ...home(), ...cloudflare.env }, write, patience: 0 });
      return { output, failed: false };
    } catch (error) {
      return { output: `${output}\n${(error as Error).message}`, failed: true };
    }
  }

  const copy = (): string => join(config, 'carrel', `${ACCOUNT_ID}-carrel.vars`);
  const bindings = () => cloudflare.scripts.get('carrel')?.bindings ?? [];
  const text = (name: string): unknown => bindings().find((binding) => binding.name === name)?.['text'];
  const tables = (): unknown[] =>
    [...cloudflare.databases.values()].flatMap(({ sqlite }) =>
      sqlite
        .prepare(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
        .all()
        .map((row) => row['name']),
    );

  it('says without a login what a first deployment does', SLOW, async () => {
    let output = '';
    await runDeploy({
      args: ['--dry-run'],
      root,
      env: home(),
      write: (part) => void (output += stripVTControlCharacters(part)),
      patience: 0,
    });
    expect(output).toContain('→ D1 database     create carrel-directory');
    expect(output).toContain('→ Migrations      apply 1: 0001_people.sql');
    expect(output).toContain('make CARREL_SECRET, PERSON_ID_KEY');
    expect(output.replaceAll(/\s+/g, ' ')).toContain('You are not signed in to Cloudflare, so this could not look up');
    expect(cloudflare.requests).toEqual([]);
  });

  it('says without a login how to sign in, and does nothing', SLOW, async () => {
    const attempt = runDeploy({ args: [], root, env: home(), write: () => undefined, patience: 0 });
    await expect(attempt).rejects.toThrow('Run npx wrangler login and try again.');
  });

  it('says with a login what it would do, and touches nothing', SLOW, async () => {
    const { output, failed } = await deploy('--dry-run');
    expect(failed).toBe(false);
    expect(output).toContain('Address         https://carrel.acme.workers.dev');
    expect(output).toContain('→ R2 bucket       create carrel-files');
    expect(cloudflare.requests.length).toBeGreaterThan(0);
    expect(cloudflare.changes).toEqual([]);
    expect(existsSync(copy())).toBe(false);
  });

  it('would deploy this very checkout', SLOW, async () => {
    let output = '';
    const write = (part: string): void => void (output += stripVTControlCharacters(part));
    await runDeploy({ args: ['--dry-run'], root: ROOT, env: { ...home(), ...cloudflare.env }, write, patience: 0 });
    expect(output).toMatch(/✔ Bundle {10}builds: entry \d+ KB, gzip \d+ KB(?:, [\d,]+ KB beside it)?\n/);
    expect(output).toMatch(/→ Migrations {6}apply \d+: 0001_/);
    expect(cloudflare.changes).toEqual([]);
  });

  it('stops when the upload is refused, and says what was done', SLOW, async () => {
    cloudflare.refuse('PUT', /\/scripts\/carrel$/, {
      status: 400,
      code: 10_021,
      message: 'the script is not to our taste',
    });
    const { output, failed } = await deploy();
    expect(failed).toBe(true);
    expect(output).toContain('Worker failed. The Worker was not uploaded');
    expect(output).toContain('the script is not to our taste');
    expect(output).toContain(
      'Done before it: D1 database carrel-directory created; R2 bucket carrel-files created; Migrations 1 applied',
    );
    expect(cloudflare.scripts.size).toBe(0);
  });

  it('goes on where it stopped: uploads the code with its secrets and its address', SLOW, async () => {
    const kept = readSecretsFile(copy());
    const { output, failed } = await deploy();
    expect(failed, output).toBe(false);
    expect(cloudflare.changes.filter((change) => /d1|r2/.test(change))).toEqual([]);
    expect(text('DEPLOYMENT')).toBe('production');
    expect(text('DEV_SIGN_IN')).toBe('');
    expect(text('PUBLIC_URL')).toBe('https://carrel.acme.workers.dev');
    expect(bindings().find(({ type }) => type === 'd1')?.['id']).toBe([...cloudflare.databases.keys()][0]);
    // What is loaded later is a module beside the entry, and goes up with it.
    const modules = cloudflare.uploads[0]?.modules.filter((name) => name.endsWith('.js')) ?? [];
    expect(modules).toEqual(expect.arrayContaining(['index.js', expect.stringMatching(/^later-\w+\.js$/)]));

    for (const name of ['CARREL_SECRET', 'PERSON_ID_KEY']) {
      expect(text(name)).toMatch(/^[0-9a-f]{64}$/);
      // The attempt before had made them; a second set would not fit what was kept.
      expect(text(name)).toBe(kept[name]);
      expect(output).not.toContain(text(name));
    }
    expect(text('CARREL_SECRET')).not.toBe(text('PERSON_ID_KEY'));
    expect(statSync(copy()).mode & 0o777).toBe(0o600);
    expect(output).toContain('claude mcp add --transport http carrel https://carrel.acme.workers.dev/mcp');
    expect(output).toContain('npm run owner-code -- --remote');
    expect(output).toContain('https://carrel.acme.workers.dev/claim');
  });

  it(
    'creates nothing again, keeps secrets and what was set elsewhere, and migrates before it uploads',
    SLOW,
    async () => {
      const secrets = [text('CARREL_SECRET'), text('PERSON_ID_KEY')];
      bindings().push({ type: 'plain_text', name: 'SET_IN_THE_DASHBOARD', text: 'yes' });
      bindings().push({ type: 'secret_text', name: 'CARREL_SECRET_PREVIOUS', text: 'p'.repeat(64) });
      addMigration(root, '0002_audit.sql', 'CREATE TABLE audit (at INTEGER) STRICT;');

      const { output, failed } = await deploy('--var', 'GRANT_IDLE_DAYS:7');
      expect(failed, output).toBe(false);
      expect(tables()).toEqual(expect.arrayContaining(['people', 'audit']));
      const order = cloudflare.changes.map((change) =>
        change.includes('/query') ? 'migrate' : change.includes('/versions') ? 'upload' : 'other',
      );
      expect(order.lastIndexOf('migrate')).toBeGreaterThan(-1);
      expect(order.lastIndexOf('migrate')).toBeLessThan(order.indexOf('upload'));
      expect(cloudflare.changes.filter((change) => /^POST \/(?:d1\/database|r2\/buckets)$/.test(change))).toEqual([]);

      expect(cloudflare.uploads).toHaveLength(1);
      expect(cloudflare.uploads[0]?.bindings.filter(({ type }) => type === 'secret_text')).toEqual([]);
      expect([text('CARREL_SECRET'), text('PERSON_ID_KEY')]).toEqual(secrets);
      expect(text('CARREL_SECRET_PREVIOUS')).toBe('p'.repeat(64));
      expect(text('SET_IN_THE_DASHBOARD')).toBe('yes');
      expect(text('GRANT_IDLE_DAYS')).toBe('7');
    },
  );

  it('leaves the old code running when a migration fails', SLOW, async () => {
    addMigration(root, '0003_wrong.sql', 'CREATE TABLE half (a TEXT) STRICT; INSERT INTO nowhere VALUES (1);');
    const { output, failed } = await deploy();
    rmSync(join(root, 'migrations/0003_wrong.sql'));
    expect(failed).toBe(true);
    expect(output).toContain('Migrations failed. A migration failed');
    expect(output).toContain('no such table: nowhere');
    expect(output).toContain('Nothing was changed before it.');
    expect(tables()).not.toContain('half');
    expect(cloudflare.uploads).toEqual([]);
  });

  it('changes nothing when the Worker does not build', SLOW, async () => {
    const entry = join(root, 'src/index.ts');
    const good = readFileSync(entry, 'utf8');
    writeFileSync(entry, `${good}\nimport './not-there';`);
    const { output, failed } = await deploy();
    writeFileSync(entry, good);
    expect(failed).toBe(true);
    expect(output).toContain('Bundle failed. The Worker does not build.');
    expect(output).toContain('not-there');
    expect(cloudflare.changes).toEqual([]);
  });

  it('attaches a custom domain without taking it from anybody, and replaces a secret', SLOW, async () => {
    const [oldSecret, personIdKey] = [text('CARREL_SECRET'), text('PERSON_ID_KEY')];
    const { output, failed } = await deploy('--url', 'https://carrel.example.com', '--rotate', 'CARREL_SECRET');
    expect(failed, output).toBe(false);
    expect(cloudflare.domains.get('carrel.example.com')).toBe('carrel');
    // This is wrangler's own way to attach, which overwrites DNS records when it cannot ask.
    expect(cloudflare.changes.filter((change) => change.includes('domains/records'))).toEqual([]);
    expect(text('PUBLIC_URL')).toBe('https://carrel.example.com');

    expect(text('CARREL_SECRET_PREVIOUS')).toBe(oldSecret);
    expect(text('CARREL_SECRET')).toMatch(/^[0-9a-f]{64}$/);
    expect(text('CARREL_SECRET')).not.toBe(oldSecret);
    expect(text('PERSON_ID_KEY')).toBe(personIdKey);
    expect(readSecretsFile(copy())).toMatchObject({
      CARREL_SECRET: text('CARREL_SECRET'),
      CARREL_SECRET_PREVIOUS: oldSecret,
      PERSON_ID_KEY: personIdKey,
    });
  });

  it('keeps the address and the vars afterwards, from any machine', SLOW, async () => {
    const { output, failed } = await deploy('--dry-run');
    expect(failed, output).toBe(false);
    expect(output).toContain('Address         https://carrel.example.com');
    expect(output).toContain('GRANT_IDLE_DAYS 7  kept from the deployment');
    expect(output).not.toContain('attach');
    // The configuration that was generated is gone.
    expect(readdirSync(root).filter((name) => name.startsWith('wrangler'))).toEqual(['wrangler.toml']);
  });

  it('is reached by its operator: its address, its secrets from the copy, its directory', SLOW, async () => {
    const target = await deployedTarget(root, { ...home(), ...cloudflare.env });
    expect([target.origin, target.source]).toEqual(['https://carrel.example.com', copy()]);
    expect(target.secrets['CARREL_SECRET']).toBe(text('CARREL_SECRET'));
    expect(await ownerCode(target.secrets)).toMatch(/^[a-zA-Z0-9]{24}$/);
    const applied = await target.d1
      .prepare('SELECT name FROM d1_migrations WHERE name = ?')
      .bind('0001_people.sql')
      .first();
    expect(applied).toEqual({ name: '0001_people.sql' });
    await expect(ownerCode({}, 'the copy')).rejects.toThrow('CARREL_SECRET is not in the copy');
    expect(cloudflare.changes).toEqual([]);
  });
});

describe('which account', () => {
  it('is asked for when there are several', SLOW, async () => {
    const cloudflare = new CloudflareStandIn();
    await cloudflare.start();
    cloudflare.accounts = [
      { id: 'a'.repeat(32), name: 'Home' },
      { id: 'b'.repeat(32), name: 'Work' },
    ];
    const { CLOUDFLARE_ACCOUNT_ID: _, ...env } = cloudflare.env;
    const attempt = runDeploy({ args: ['--dry-run'], root: ROOT, env, write: () => undefined, patience: 0 });
    await expect(attempt).rejects.toThrow(`CLOUDFLARE_ACCOUNT_ID=${'b'.repeat(32)} npm run deploy   # Work`);
    await cloudflare.stop();
  });
});
