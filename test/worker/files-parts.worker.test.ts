import { beforeAll, describe, expect, it } from 'vitest';

import { PART_BYTES, PARTS_MS } from '../../src/files/model.ts';
import { sha256Hex } from '../../src/lib/encoding.ts';
import { Owner, problemOf, put, streamOf } from '../support/files.ts';
import { send } from '../support/person.ts';
import { times } from '../support/rounds.ts';

let ada: Owner;
beforeAll(async () => {
  ada = await Owner.signIn('ada@example.com');
});

/** Three parts, the last of them short, all different. */
const SIZE = 2 * PART_BYTES + 5;
const bytes = new Uint8Array(SIZE).map((_, at) => (at * 31 + (at >> 12)) & 0xff);
const partOf = (number: number) => bytes.subarray((number - 1) * PART_BYTES, number * PART_BYTES);

interface Status {
  readonly state: string;
  readonly parts: readonly { number: number; size: number; sha256: string }[];
  readonly file_id?: string;
  readonly problem?: string;
}

interface Ticket {
  readonly file: { readonly id: string };
  readonly upload: { readonly url: string; readonly parts: number; readonly part_size: number; readonly curl: string };
}

const expectFile = async (owner: Owner, path: string, more: Record<string, unknown> = {}): Promise<Ticket> =>
  owner.call<Ticket>('file_upload', { path, size: SIZE, in_parts: true, ...more });

const sendPart = async ({ upload }: Ticket, number: number) => put(`${upload.url}/parts/${number}`, partOf(number));
const complete = async ({ upload }: Ticket) => send(`${upload.url}/complete`, { method: 'POST' });
const status = async ({ upload }: Ticket) => (await send(upload.url)).json<Status>();
const settled = async (ticket: Ticket) => {
  await expect.poll(async () => (await status(ticket)).state, { timeout: 20_000 }).not.toBe('verifying');
  return status(ticket);
};

describe('a file in parts', () => {
  it('is there once all have come, in any order, side by side, and were read back', async () => {
    const ticket = await expectFile(ada, 'large.bin', { sha256: await sha256Hex(bytes) });
    expect(ticket.upload).toMatchObject({ parts: 3, part_size: PART_BYTES });
    const answers = await Promise.all([3, 1, 2].map(async (number) => sendPart(ticket, number)));
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
    expect(await answers[0]?.json()).toEqual({ number: 3, size: 5, sha256: await sha256Hex(partOf(3).slice()) });
    await expect(ada.call('file_read', { file: ticket.file.id })).rejects.toThrow('not_found');

    const done = await complete(ticket);
    expect([done.status, (await done.json<Status>()).state]).toEqual([202, 'verifying']);
    expect(await settled(ticket)).toMatchObject({ state: 'committed', file_id: ticket.file.id });
    const stored = await ada.fetch(`/files/${ticket.file.id}`);
    expect(await sha256Hex(new Uint8Array(await stored.arrayBuffer()))).toBe(await sha256Hex(bytes));
    // Its bytes are the object that the parts became: nothing was stored twice.
    expect(await ada.objects(ticket.file.id)).toHaveLength(1);
    expect(await problemOf(await sendPart(ticket, 1))).toMatchObject({ status: 409 });
    expect((await complete(ticket)).status).toBe(202);
  });

  it('goes on where it broke off', async () => {
    const ticket = await expectFile(ada, 'broken.bin');
    await sendPart(ticket, 2);
    const half = await put(`${ticket.upload.url}/parts/1`, streamOf(partOf(1).subarray(0, 1000), new Error('reset')));
    expect(half.status).toBe(400);
    expect((await status(ticket)).parts.map(({ number }) => number)).toEqual([2]);
    expect(await problemOf(await complete(ticket))).toMatchObject({ status: 409, code: 'conflict', missing: '1,3' });
    for (const number of [1, 3]) await sendPart(ticket, number);
    await complete(ticket);
    expect((await settled(ticket)).state).toBe('committed');
  });

  it('of another checksum than was declared is not there, and leaves nothing', async () => {
    const bob = await Owner.signIn('bob@example.com');
    const ticket = await expectFile(bob, 'wrong.bin', { sha256: '0'.repeat(64) });
    for (const number of [1, 2, 3]) await sendPart(ticket, number);
    await complete(ticket);
    const failed = await settled(ticket);
    expect(failed).toMatchObject({
      state: 'failed',
      problem: expect.stringContaining(await sha256Hex(bytes)) as string,
    });
    await expect.poll(() => bob.objects()).toEqual([]);
    expect(await bob.rows('files')).toEqual([]);
    expect(await problemOf(await complete(ticket))).toMatchObject({ status: 409 });
  });

  it('completed many times at once is one file', async () => {
    const ticket = await expectFile(ada, 'twice.bin');
    for (const number of [1, 2, 3]) await sendPart(ticket, number);
    const answers = await Promise.all(times(4, async () => complete(ticket)));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([202]));
    expect((await settled(ticket)).state).toBe('committed');
    expect(await ada.call('file_list', { tag: 'none' })).toMatchObject({ files: [] });
    const { version } = await ada
      .fetch(`/files/${ticket.file.id}`, { headers: { Accept: 'application/json' } })
      .then(async (answer) => (await answer.json<{ file: { version: number } }>()).file);
    expect(version).toBe(1);
  });

  it.each([
    ['longer', async () => new Uint8Array(PART_BYTES + 1), 'too_large'],
    ['shorter', async () => new Uint8Array(10), 'invalid_input'],
  ])('takes no part that is %s than it must be', async (_what, body, code) => {
    const ticket = await expectFile(ada, `length-${code}.bin`);
    expect(await problemOf(await put(`${ticket.upload.url}/parts/1`, await body()))).toMatchObject({ code });
    expect((await status(ticket)).parts).toEqual([]);
  });

  it('has no part beyond its last, and none without a number', async () => {
    const ticket = await expectFile(ada, 'numbers.bin');
    for (const number of ['0', '4', 'one', '-1', '1.5'])
      expect((await put(`${ticket.upload.url}/parts/${number}`, 'x')).status).toBe(400);
    expect(await problemOf(await put(ticket.upload.url, partOf(3)))).toMatchObject({ status: 409 });
  });

  it('is given up, or forgotten when nothing comes any more, and frees its room', async () => {
    const bob = await Owner.signIn('carol@example.com');
    const [given, left] = [await expectFile(bob, 'given-up.bin'), await expectFile(bob, 'left.bin')];
    await sendPart(given, 1);
    await sendPart(left, 1);
    expect((await send(given.upload.url, { method: 'DELETE' })).status).toBe(204);
    expect((await send(given.upload.url)).status).toBe(404);
    await bob.sql(`UPDATE file_uploads SET expires_at = ${Date.now() - PARTS_MS}`);
    expect((await sendPart(left, 2)).status).toBe(404);
    await bob.runTask('uploads');
    expect(await bob.rows('file_uploads')).toEqual([]);
    await expect.poll(() => bob.rows('loose_objects')).toEqual([]);
  });

  it('takes its room before its first part', async () => {
    const dan = await Owner.signIn('dan@example.com');
    await dan.sql(`UPDATE file_usage SET bytes = ${10_000_000_000 - SIZE}`);
    await expectFile(dan, 'fits.bin');
    await expect(expectFile(dan, 'too-much.bin')).rejects.toThrow(/^too_large/);
    await expect(dan.call('file_upload', { path: 'x', size: 30e9, in_parts: true })).rejects.toThrow(/^too_large/);
  });
});
