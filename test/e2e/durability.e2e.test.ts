import { setTimeout as sleep } from 'node:timers/promises';

import { beforeAll, expect, it } from 'vitest';

import { digestOf, noise } from '../../scripts/client/bytes.ts';
import { call, connectWithToken } from '../../scripts/client/mcp.ts';
import { get, put } from '../../scripts/client/transfer.ts';
import { useDeployment } from './support/deployment.ts';
import { bearer, signUp } from './support/people.ts';
import type { Person } from './support/people.ts';

/** A power cut: `kill -9` of wrangler and workerd, then a start over the same state folder. */
const deployment = useDeployment();

const SIZE = 24_000_000;

interface FileRef {
  readonly id: string;
  readonly size: number;
  readonly sha256: string;
}
interface Ticket {
  readonly file: { readonly id: string };
  readonly upload: { readonly url: string };
}

let person: Person;

beforeAll(async () => {
  person = await signUp(deployment.mcpUrl, 'ada@example.com');
});

/** Connects anew with the same token: a connection does not outlive the server that it was to. */
const connected = () => connectWithToken(deployment.mcpUrl, person.token);

async function indexOverHttp(): Promise<readonly FileRef[]> {
  const response = await fetch(`${deployment.origin}/files`, { headers: bearer(person.token) });
  expect(response.status).toBe(200);
  const { files }: { files: FileRef[] } = await response.json();
  return files;
}

async function indexOverMcp(): Promise<readonly FileRef[]> {
  return (await call<{ files: FileRef[] }>(await connected(), 'file_list')).files;
}

/** Sends most of the bytes, kills the server while it waits for the rest, and gives what came of the upload. */
async function cutOff(url: string): Promise<unknown> {
  const mostIsSent = Promise.withResolvers<void>();
  const serverIsGone = Promise.withResolvers<void>();
  async function* bytes() {
    let sent = 0;
    for (const piece of noise(SIZE)) {
      if (sent > SIZE * 0.8) {
        mostIsSent.resolve();
        await serverIsGone.promise;
      }
      sent += piece.byteLength;
      yield piece;
    }
  }
  const upload = put(url, SIZE, bytes()).catch((error: unknown) => error);
  await mostIsSent.promise;
  // What is on its way should be in the bucket's hands when the lights go out.
  await sleep(200);
  await deployment.kill();
  serverIsGone.resolve();
  return upload;
}

it('kill -9 directly after a state_set that was answered loses nothing', async () => {
  const value = { words: ['kept', '保持', '✓'], count: 1 };
  const before = await connected();
  const { session } = await call<{ session: { id: string } }>(before, 'session_open', { session: 'Before the cut' });
  const written = await call(before, 'state_set', { session: session.id, key: 'last', value, expected_version: 0 });
  await deployment.kill();
  expect(written).toMatchObject({ version: 1 });

  await deployment.startAgain();
  const after = await connected();
  expect(await call(after, 'session_get', { session: 'before-the-cut' })).toMatchObject({
    session: { id: session.id },
  });
  expect(await call(after, 'state_get', { session: session.id, key: 'last' })).toMatchObject({ value, version: 1 });
  // It goes on from there: compare-and-set knows the version that was acknowledged.
  const next = { session: session.id, key: 'last', value: 2, expected_version: 1 };
  expect(await call(after, 'state_set', next)).toMatchObject({ version: 2 });
});

it('kill -9 during an upload leaves nothing of it in the index, and its address can be used again', async () => {
  const known = await digestOf(noise(SIZE));
  const whole = await digestOf(noise(3_000_000, 'whole'));
  const before = await connected();
  const stored = await call<Ticket>(before, 'file_upload', { path: 'whole.bin', ...whole });
  const broken = await call<Ticket>(before, 'file_upload', { path: 'broken.bin', ...known });
  expect(await put(stored.upload.url, whole.size, noise(whole.size, 'whole'))).toMatchObject({ status: 201 });
  expect(await cutOff(broken.upload.url)).toBeInstanceOf(Error);

  await deployment.startAgain();
  const only = [expect.objectContaining({ id: stored.file.id, ...whole })];
  expect(await indexOverMcp()).toEqual(only);
  expect(await indexOverHttp()).toEqual(only);
  const file = (id: string) => get(`${deployment.origin}/files/${id}`, { headers: bearer(person.token) });
  expect(await file(broken.file.id)).toMatchObject({ status: 404 });
  // What was answered with 201 right before the cut is there, byte for byte.
  expect(await file(stored.file.id)).toEqual({ status: 200, ...whole });

  const again = await put(broken.upload.url, SIZE, noise(SIZE));
  expect(again).toMatchObject({ status: 201, answer: { file: { id: broken.file.id, ...known } } });
  const both = [expect.objectContaining({ id: broken.file.id, ...known }), ...only];
  expect(await indexOverMcp()).toEqual(both);
  expect(await indexOverHttp()).toEqual(both);
  expect(await file(broken.file.id)).toEqual({ status: 200, ...known });
  // The attempt that succeeded used the address up, and not the one that broke.
  expect(await put(broken.upload.url, SIZE, noise(SIZE))).toMatchObject({ status: 409, answer: { code: 'conflict' } });
});
