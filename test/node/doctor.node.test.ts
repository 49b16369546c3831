import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { checkMigrations, checkNode, checkPort } from '../../scripts/lib/checks.ts';
import { folder, makeCheckout, removeFolders, SLOW } from '../support/scripts.ts';

afterAll(removeFolders);

describe('npm run doctor', () => {
  it('finds migrations without a certain order', () => {
    const checkout = folder();
    mkdirSync(join(checkout, 'migrations'));
    for (const name of ['0001_a.sql', '0001_b.sql', 'later.sql'])
      writeFileSync(join(checkout, 'migrations', name), 'SELECT 1;');
    const { fault } = checkMigrations(checkout);
    expect(fault).toContain('0001_b.sql has a number that is taken');
    expect(fault).toContain('later.sql does not begin with a number');
  });

  it('finds a Node.js that is too old', () => {
    expect(checkNode('v20.20.2').fault).toContain('too old');
    expect(checkNode('v22.12.0').fault).toBeUndefined();
  });

  it('names the Node.js of the machine where it is another', () => {
    const agent = (version: string) => `npm/11.19.1 node/${version} linux x64 workspaces/false`;
    expect(checkNode('v24.21.0', agent('v24.21.0')).found).toBe('v24.21.0');
    expect(checkNode('v24.21.0', agent('v20.20.2')).found).toBe('v24.21.0 (from node_modules; yours is v20.20.2)');
  });

  it('says which port works when one is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const busy = await checkPort(port);
    expect(busy).toMatchObject({
      free: false,
      found: expect.stringMatching(/^in use; npm start -- --port \d+ works$/),
    });
    expect(busy.fault).toBeUndefined();
    await new Promise((resolve) => other.close(resolve));
    expect(await checkPort(port)).toMatchObject({ free: true, found: 'free' });
  });

  it('lists every fault, shows no secret, and fails', SLOW, async () => {
    const checkout = makeCheckout();
    writeFileSync(
      join(checkout, '.dev.vars'),
      `CARREL_SECRET=short\nGRANT_IDLE_DAYS=soon\nPERSON_ID_KEY=${'k'.repeat(64)}\nTOOLSETS=bogus\nCARREL_SECRTE=x\nwhat\n`,
    );
    const child = spawn(process.execPath, [join(checkout, 'scripts/doctor.ts')], {
      cwd: checkout,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => void (output += stripVTControlCharacters(chunk.toString())));
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(code).toBe(1);
    expect(output).toContain('CARREL_SECRET has fewer than 32 characters.');
    expect(output).toContain('GRANT_IDLE_DAYS must be a whole number from 1 to 365.');
    expect(output).toContain('TOOLSETS names a toolset that does not exist; there are: sessions, files');
    expect(output.replaceAll(/\s+/g, ' ')).toContain('which Carrel does not know. Is CARREL_SECRET meant?');
    expect(output).toContain('Line 6 of .dev.vars is not of the form NAME=value.');
    expect(output).toContain('5 faults');
    expect(output).not.toContain('k'.repeat(64));
    for (const line of output.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });
});
