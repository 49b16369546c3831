import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { describe, expect, it, onTestFinished } from 'vitest';

import { call } from '../../scripts/client/mcp.ts';
import { expectNoiseInParts, sendParts, statusOf } from '../../scripts/client/parts.ts';
import type { PartsTicket } from '../../scripts/client/parts.ts';
import { get } from '../../scripts/client/transfer.ts';
import { watchMemory } from '../../scripts/lib/memory.ts';
import { PART_BYTES } from '../../src/files/model.ts';
import { useDeployment } from './support/deployment.ts';
import { bearer, signUp } from './support/people.ts';

const deployment = useDeployment();
const shell = promisify(execFile);

/** CARREL_LARGE_MB=3000 shows it with 3 GB, and prints the figures. */
const SIZE = Number(process.env['CARREL_LARGE_MB'] ?? 250) * 1e6;
const KILLS = 3;
// Before the server starts, because it takes seconds: the proxy of `wrangler dev` closes a connection that idles so long.
const known = await expectNoiseInParts(SIZE, PART_BYTES, 'large');
/** What the server may take more while a second such file comes: the heap of a fresh one grows with the first. */
const BOUND = 200e6;

interface Ticket {
  readonly file: { readonly id: string };
  readonly upload: PartsTicket & { readonly command: string };
}

async function untilThere(ticket: PartsTicket) {
  for (;;) {
    const status = await statusOf(ticket);
    if (status.state !== 'verifying') return status;
    await sleep(200);
  }
}

it('a large file in parallel parts comes through three power cuts', { timeout: 900_000 }, async () => {
  const { client, token } = await signUp(deployment.mcpUrl, 'ada@example.com');
  const input = { path: 'large.bin', size: SIZE, sha256: known.sha256, in_parts: true };
  const { file, upload } = await call<Ticket>(client, 'file_upload', input);
  await client.close();

  const there: number[] = [];
  for (let cut = 0; cut < KILLS; cut++) {
    const sending = sendParts(upload, SIZE, 'large', 5).then(
      () => 'done',
      () => 'broken off',
    );
    // At a random moment of what is left.
    const before = (await statusOf(upload)).parts.length;
    const until = before + Math.floor(Math.random() * Math.max(1, (upload.parts - before) / 2));
    while ((await statusOf(upload)).parts.length < until) await sleep(5);
    await sleep(Math.random() * 100);
    await deployment.kill();
    expect(await sending).toBe('broken off');
    await deployment.startAgain();
    there.push((await statusOf(upload)).parts.length);
  }

  const first = await measured(async () => {
    await sendParts(upload, SIZE, 'large');
    return untilThere(upload);
  });
  expect(first.result).toMatchObject({ state: 'committed', file_id: file.id });
  const again = await expectFile('again', token, known.size);
  const second = await measured(async () => {
    await sendParts(again, SIZE, 'again');
    return untilThere(again);
  });
  expect(second.result.state).toBe('committed');
  const { growth, seconds } = second;
  console.log(JSON.stringify({ parts: upload.parts, afterCuts: there, fresh: first.growth, growth, seconds }));
  expect(growth).toBeLessThan(BOUND);
  const back = await get(`${deployment.origin}/files/${file.id}`, { headers: bearer(token) });
  expect(back).toMatchObject({ status: 200, size: SIZE, sha256: known.sha256 });
});

async function measured<Result>(run: () => Promise<Result>) {
  const began = performance.now();
  const { result, peak, before } = await watchMemory(deployment.pid, run);
  return { result, growth: peak - before, seconds: (performance.now() - began) / 1000 };
}

/** Over HTTP, because a client's connection has idled for too long by then. */
async function expectFile(path: string, token: string, size: number): Promise<PartsTicket> {
  const response = await fetch(`${deployment.origin}/files`, {
    method: 'POST',
    headers: { ...bearer(token), 'Content-Type': 'application/json' },
    body: JSON.stringify({ path, size, in_parts: true }),
  });
  return (await response.json<{ upload: PartsTicket }>()).upload;
}

describe('the lines that file_upload gives for parts', () => {
  it('upload a file, and again only what is missing', { timeout: 120_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'carrel-parts-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const { client } = await signUp(deployment.mcpUrl, 'ben@example.com');
    const name = `it's "large" $(touch gone).bin`;
    const size = PART_BYTES + 1000;
    writeFileSync(
      join(folder, name),
      new Uint8Array(size).map((_, at) => at % 251),
    );
    const { upload } = await call<Ticket>(client, 'file_upload', { path: `in/${name}`, size, in_parts: true });
    // The second part alone is there before, as after a break.
    const script = upload.command.replace('$(seq 1 2)', '2').replace(/\n[^\n]*complete$/, '');
    await shell('/bin/sh', ['-c', script], { cwd: folder });
    expect((await statusOf(upload)).parts).toMatchObject([{ number: 2, size: 1000 }]);
    const { stdout } = await shell('/bin/sh', ['-c', upload.command], { cwd: folder });
    expect(stdout.match(/"state":"(?:verifying|committed)"/g)).toHaveLength(1);
    expect(await untilThere(upload)).toMatchObject({ state: 'committed' });
    const { files } = await call<{ files: { path: string; size: number }[] }>(client, 'file_list', {});
    expect(files).toMatchObject([{ path: `in/${name}`, size }]);
    await client.close();
  });
});
