import { env } from 'cloudflare:workers';
import { expect } from 'vitest';
import * as z from 'zod';

import type { Bindings } from '../../src/app.ts';
import { Addresses } from '../../src/files/addresses.ts';
import { R2FileBucket } from '../../src/files/bucket.ts';
import { FileService } from '../../src/files/service.ts';
import { UploadService } from '../../src/files/upload-service.ts';
import { Keyring } from '../../src/lib/keyring.ts';
import type { RecipeTools } from '../../src/recipes/tool-port.ts';
import { SourceService } from '../../src/research/source-service.ts';
import { RpcWorkspaces } from '../../src/workspace/rpc-client.ts';
import { FakeJob } from './fake-job-run.ts';
import type { FakeJobOptions } from './fake-job-run.ts';
import type { Owner } from './files.ts';

const { FILES, WORKSPACE } = env as unknown as Bindings;

/** A job of a person, with the services that definitions get. */
export function fakeJob(person: Owner, more: Partial<FakeJobOptions> = {}) {
  const workspaces = new RpcWorkspaces(WORKSPACE);
  const run = new FakeJob({
    workspace: workspaces.open(person.personId, { kind: 'person' }),
    personId: person.personId,
    ...more,
  });
  const bucket = run.bucket(new R2FileBucket(FILES));
  const files = new FileService({ bucket });
  const addresses = new Addresses(new Keyring(['test-secret']));
  const uploads = new UploadService({ bucket, addresses, workspaces, files, limits: { maxBytes: 95_000_000 } });
  const sources = new SourceService({ bucket, files, loopback: true, robots: false });
  /** One tool, which writes files. */
  const recipeTools: RecipeTools = {
    info: (name) =>
      name === 'file_write' ? { scope: 'files:write', input: z.object({ path: z.string() }) } : undefined,
    call: () => Promise.reject(new Error('nothing is run')),
    outcome: () => Promise.reject(new Error('nothing is run')),
  };
  return { run, services: { bucket, files, uploads, sources, loopback: true, recipeTools } };
}

/** That index and bucket agree: each object is a content, and each content an object. */
export async function expectNothingLoose(person: Owner): Promise<void> {
  await person.sql('UPDATE loose_objects SET due_at = 1 WHERE claimed = 1');
  await person.runTask('uploads');
  const contents = (await person.rows('contents')) as { object_key: string }[];
  expect((await person.objects()).toSorted()).toEqual(contents.map((row) => row.object_key).toSorted());
}
