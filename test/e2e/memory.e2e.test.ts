import { expect, it } from 'vitest';

import { expectNoise, moveLargeFile } from '../../scripts/client/large-file.ts';
import { call } from '../../scripts/client/mcp.ts';
import { get } from '../../scripts/client/transfer.ts';
import { watchMemory } from '../../scripts/lib/memory.ts';
import { useDeployment } from './support/deployment.ts';
import { signUp } from './support/people.ts';

const deployment = useDeployment();

// `npm run measure:memory` does the same with 1 GB.
const SIZE = 250_000_000;
// Measured: 5 to 80 MB. A body that was held in memory would take its whole size at least.
const BOUND = SIZE / 2;

it.runIf(process.platform !== 'win32')(
  'memory stays flat while a large file goes up and comes down, and with others as a zip',
  async () => {
    const { client, token } = await signUp(deployment.mcpUrl, 'ada@example.com');
    const target = { origin: deployment.origin, token, group: deployment.pid };
    const files = [];
    for (const seed of ['warm-up', 'measured']) {
      const known = await expectNoise(SIZE, seed);
      const input = { path: `${seed}.bin`, size: SIZE, sha256: known.sha256 };
      files.push({ known, ticket: await call<Ticket>(client, 'file_upload', input) });
    }
    const [warmUp, measured] = files;
    if (!warmUp || !measured) throw new Error('no files');

    // The heap of a fresh server grows, whatever it does, until its garbage is first collected.
    await moveLargeFile(target, warmUp.ticket, warmUp.known);
    const { upload, download } = await moveLargeFile(target, measured.ticket, measured.known);
    expect(Math.max(upload.peak, download.peak) - upload.before).toBeLessThan(BOUND);
    // It was looked at in between, and not only before and after.
    expect(upload.samples).toBeGreaterThan(2);

    const headers = { Authorization: `Bearer ${token}` };
    const zip = await watchMemory(deployment.pid, () => get(`${deployment.origin}/files/zip`, { headers }));
    expect(zip.result.status).toBe(200);
    expect(zip.result.size).toBeGreaterThan(2 * SIZE);
    expect(zip.peak - zip.before).toBeLessThan(BOUND);
    expect(zip.samples).toBeGreaterThan(2);
  },
);

interface Ticket {
  readonly file: { readonly id: string };
  readonly upload: { readonly url: string };
}
