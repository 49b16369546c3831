import { runDurableObjectAlarm } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';

import type { Bindings } from '../../src/app.ts';
import { Addresses } from '../../src/files/addresses.ts';
import { R2FileBucket } from '../../src/files/bucket.ts';
import type { FileBucket } from '../../src/files/bucket.ts';
import { PARTS_MS, TUS_FIRST_MS, TUS_PART_BYTES } from '../../src/files/model.ts';
import { TusService } from '../../src/files/tus/service.ts';
import { sha256Hex, utf8 } from '../../src/lib/encoding.ts';
import { Keyring } from '../../src/lib/keyring.ts';
import { RpcWorkspaces } from '../../src/workspace/rpc-client.ts';
import { Owner, problemOf, put, streamOf } from '../support/files.ts';
import type { Shown } from '../support/files.ts';
import { send } from '../support/person.ts';
import { times } from '../support/rounds.ts';
import { begin, breaking, BYTES, checksumOf, Held, metadataOf, TusUpload, VERSION } from '../support/tus.ts';

const { FILES, WORKSPACE, CARREL_SECRET: secret } = env as unknown as Bindings & { CARREL_SECRET: string };

let ada: Owner;
let eve: Owner;
beforeAll(async () => {
  ada = await Owner.signIn('ada@tus.example.com');
  eve = await Owner.signIn('eve@tus.example.com');
});

/** Three parts, the last of them short, all different. */
const SIZE = 2 * TUS_PART_BYTES + 12_345;
const noise = (seed: number, size = SIZE) =>
  new Uint8Array(size).map((_, at) => (at * 31 + (at >> 12) * 7 + seed) & 0xff);
const bytes = noise(0);

async function contentOf(owner: Owner, upload: TusUpload): Promise<Uint8Array<ArrayBuffer>> {
  const { file_id: id } = await upload.status();
  return new Uint8Array(await (await owner.fetch(`/files/${id}`)).arrayBuffer());
}

async function expectFile(owner: Owner, upload: TusUpload, expected: Uint8Array<ArrayBuffer>): Promise<void> {
  await expect.poll(async () => (await upload.status()).state, { timeout: 20_000 }).toBe('committed');
  const content = await contentOf(owner, upload);
  expect([content.byteLength, await sha256Hex(content)]).toEqual([expected.byteLength, await sha256Hex(expected)]);
}

/** A bucket that stores no part until it is let. */
class SlowBucket extends R2FileBucket {
  readonly reached: Promise<void>;
  release = () => {};
  #isReached = () => {};
  readonly #gate = new Promise<void>((resolve) => (this.release = resolve));

  constructor(bucket: R2Bucket) {
    super(bucket);
    this.reached = new Promise((resolve) => (this.#isReached = resolve));
  }

  override async putPart(...call: Parameters<R2FileBucket['putPart']>): Promise<string> {
    this.#isReached();
    await this.#gate;
    return super.putPart(...call);
  }
}

const serviceWith = (bucket: FileBucket) =>
  new TusService({
    bucket,
    addresses: new Addresses(new Keyring([secret])),
    workspaces: new RpcWorkspaces(WORKSPACE),
  });

const addressOf = ({ url }: TusUpload) => new URL(url).pathname.slice('/tus/'.length);

async function sweep(owner: Owner): Promise<void> {
  await owner.sql("UPDATE agenda SET due_at = 0 WHERE task = 'uploads'");
  await runDurableObjectAlarm(owner.workspace);
}

/** Runs what is due in an hour, when nothing that was cut off can still be on its way. */
async function sweepLater(owner: Owner): Promise<void> {
  await owner.sql('UPDATE loose_objects SET due_at = 0 WHERE claimed = 1');
  await sweep(owner);
}

/** Nothing is left of an upload that came to nothing, in the index or in the bucket. */
async function expectNothing(owner: Owner): Promise<void> {
  await sweepLater(owner);
  expect(await owner.rows('file_uploads')).toEqual([]);
  expect(await owner.rows('loose_objects')).toEqual([]);
  expect(await owner.objects()).toEqual([]);
  expect(await owner.rows('files')).toEqual([]);
}

describe('an upload by tus', () => {
  it('comes in pieces, says how far it is, and is there with its last byte', async () => {
    const made = await begin(ada, 6, { filename: 'notes.txt', filetype: 'text/plain' });
    expect([made.status, made.headers.get('Tus-Resumable')]).toEqual([201, '1.0.0']);
    const upload = new TusUpload(made.headers.get('Location') ?? '');
    const first = await upload.append(0, 'abc');
    expect([first.status, first.headers.get('Upload-Offset'), await first.text()]).toEqual([204, '3', '']);
    expect(Date.parse(first.headers.get('Upload-Expires') ?? '')).toBeGreaterThan(Date.now() + PARTS_MS / 2);
    const head = await upload.head();
    expect(head.status).toBe(200);
    expect(Object.fromEntries(head.headers)).toMatchObject({
      'upload-offset': '3',
      'upload-length': '6',
      'upload-metadata': metadataOf({ filename: 'notes.txt', filetype: 'text/plain' }),
      'upload-expires': first.headers.get('Upload-Expires'),
      'cache-control': 'no-store',
      'tus-resumable': '1.0.0',
    });
    expect(await upload.status()).toEqual({ state: 'uploading', path: 'notes.txt', size: 6, received: 3 });

    const last = await upload.append(3, 'def');
    expect([last.status, last.headers.get('Upload-Offset')]).toEqual([204, '6']);
    const { files } = await ada.call<{ files: Shown[] }>('file_list', { folder: '' });
    expect(files).toMatchObject([{ path: 'notes.txt', size: 6, type: 'text/plain' }]);
    const { file_id: id, ...status } = await upload.status();
    expect(status).toEqual({ state: 'committed', path: 'notes.txt', size: 6, received: 6 });
    expect(await (await ada.fetch(`/files/${id}`)).text()).toBe('abcdef');
    // Resumed by a client that missed the last answer: there is nothing to send.
    expect(await upload.offset()).toBe(6);
    await sweepLater(ada);
    expect(await ada.objects()).toHaveLength(1);
  });

  it('larger than a part breaks anywhere, and its object is made of parts', async () => {
    const upload = await TusUpload.begin(ada, SIZE, 'large.bin');
    const cuts = [1, 70_000, TUS_PART_BYTES - 1, TUS_PART_BYTES, TUS_PART_BYTES + 3, 2 * TUS_PART_BYTES + 7, SIZE];
    let offset = 0;
    for (const end of cuts) {
      const answer = await upload.append(offset, bytes.subarray(offset, end));
      expect([answer.status, answer.headers.get('Upload-Offset')]).toEqual([204, String(end)]);
      offset = end;
    }
    await expectFile(ada, upload, bytes);
    await sweepLater(ada);
    expect(await ada.objects((await upload.status()).file_id)).toHaveLength(1);
  });

  it('in one request has nothing but its parts', async () => {
    const upload = await TusUpload.begin(ada, SIZE, 'at-once.bin');
    expect((await upload.append(0, bytes)).status).toBe(204);
    await expectFile(ada, upload, bytes);
  });

  it('of the length of parts, or of one, ends with them', async () => {
    for (const size of [TUS_PART_BYTES, TUS_PART_BYTES + 1, 2 * TUS_PART_BYTES]) {
      const upload = await TusUpload.begin(ada, size, `exact-${size}.bin`);
      expect((await upload.append(0, bytes.subarray(0, size))).status).toBe(204);
      await expectFile(ada, upload, bytes.slice(0, size));
    }
  });

  it('keeps what came before its connection broke', async () => {
    const upload = await TusUpload.begin(ada, SIZE, 'broken.bin');
    await upload.append(0, breaking(bytes.subarray(0, 1000)));
    expect(await upload.offset()).toBe(1000);
    await upload.append(1000, breaking(bytes.subarray(1000, TUS_PART_BYTES + 5)));
    const offset = await upload.offset();
    expect(offset).toBe(TUS_PART_BYTES + 5);
    expect((await upload.append(offset, bytes.subarray(offset))).status).toBe(204);
    await expectFile(ada, upload, bytes);
  });

  it('that is empty is there when it begins', async () => {
    const upload = await TusUpload.begin(ada, 0, 'empty.txt');
    expect(await upload.offset()).toBe(0);
    expect(await contentOf(ada, upload)).toHaveLength(0);
  });

  it('may begin with bytes, all or some', async () => {
    const all = await begin(ada, 6, { path: 'with-all.txt' }, BYTES, 'abcdef');
    expect([all.status, all.headers.get('Upload-Offset')]).toEqual([201, '6']);
    await expectFile(ada, new TusUpload(all.headers.get('Location') ?? ''), utf8('abcdef'));
    const some = await begin(ada, 6, { path: 'with-some.txt' }, { ...BYTES, ...(await checksumOf('abc')) }, 'abc');
    expect([some.status, some.headers.get('Upload-Offset')]).toEqual([201, '3']);
    const upload = new TusUpload(some.headers.get('Location') ?? '');
    expect((await upload.append(3, 'def')).status).toBe(204);
    expect(new TextDecoder().decode(await contentOf(ada, upload))).toBe('abcdef');
  });

  it.each(['sha1', 'sha256', 'md5'])('counts with its %s, also over several parts', async (algorithm) => {
    const upload = await TusUpload.begin(ada, SIZE, `${algorithm}.bin`);
    const cut = TUS_PART_BYTES + 99;
    for (const [from, to] of [
      [0, 10],
      [10, cut],
      [cut, SIZE],
    ] as const) {
      const piece = bytes.subarray(from, to);
      expect((await upload.append(from, piece, await checksumOf(piece, algorithm))).status).toBe(204);
    }
    await expectFile(ada, upload, bytes);
  });

  it('is a version of what is at its path, or is refused before its bytes', async () => {
    for (const text of ['one', 'two']) {
      const upload = await TusUpload.begin(ada, 3, 'versions.txt');
      await upload.append(0, text);
    }
    const file = await ada.call<{ file: Shown }>('file_read', { file: 'versions.txt' });
    expect(file).toMatchObject({ file: { version: 2 }, text: 'two' });
    const refused = await begin(ada, 3, { path: 'versions.txt', if_exists: 'fail' });
    expect(await problemOf(refused)).toMatchObject({ status: 409, code: 'conflict' });
  });

  it.each([
    [{ filename: 'a.txt', filetype: 'text/plain' }, 'a.txt'],
    // Uppy, of a file in no folder and of one in a folder.
    [{ relativePath: 'null', name: 'b.txt', type: 'text/plain', filename: 'b.txt', filetype: 'text/plain' }, 'b.txt'],
    [{ relativePath: 'trip/c.txt', name: 'c.txt', type: '', filename: 'c.txt' }, 'trip/c.txt'],
    [{ relativePath: '/trip/d.txt', name: 'd.txt' }, 'trip/d.txt'],
    [{ path: 'e/ü 市.txt', filename: 'other.txt', caption: 'of no interest' }, 'e/ü 市.txt'],
    // No media type: the bytes tell.
    [{ filename: 'f.txt', filetype: 'nonsense' }, 'f.txt'],
  ])('is called what clients call it: %j', async (metadata, path) => {
    const made = await begin(eve, 1, metadata);
    expect(made.status).toBe(201);
    const upload = new TusUpload(made.headers.get('Location') ?? '');
    expect((await upload.status()).path).toBe(path);
    expect((await upload.head()).headers.get('Upload-Metadata')).toBe(metadataOf(metadata));
    await upload.terminate();
  });

  it('goes into the session that it names', async () => {
    await ada.call('session_open', { session: 'Field trip' });
    const upload = await TusUpload.begin(ada, 1, 'map.txt', { session: 'field-trip' });
    await upload.append(0, 'x');
    expect(await ada.call('file_list', { session: 'field-trip' })).toMatchObject({ files: [{ path: 'map.txt' }] });
    const nowhere = await begin(ada, 1, { path: 'x', session: 'nowhere' });
    expect(await problemOf(nowhere)).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('takes POST for the methods that some networks let through to nobody', async () => {
    const upload = await TusUpload.begin(ada, 6, 'override.txt');
    const post = async (method: string, more: Record<string, string>, body: string | null = null) =>
      send(upload.url, { method: 'POST', body, headers: { ...VERSION, 'X-HTTP-Method-Override': method, ...more } });
    expect((await post('PATCH', { ...BYTES, 'Upload-Offset': '0' }, 'abc')).status).toBe(204);
    expect(await upload.offset()).toBe(3);
    expect((await post('PUT', {})).status).toBe(400);
    expect((await post('DELETE', {})).status).toBe(204);
    expect((await upload.head()).status).toBe(404);
  });
});

describe('two requests at once', () => {
  it('of the same place: one wins, and no byte of another is in the file', async () => {
    for (const size of [6, SIZE])
      for (let round = 0; round < 3; round++) {
        const upload = await TusUpload.begin(ada, size, `race-${size}-${round}.bin`);
        const bodies = times(4, (seed) => noise(seed + 1, size));
        const answers = await Promise.all(bodies.map(async (body) => upload.append(0, streamOf(body))));
        expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 409, 409, 409]);
        await expectFile(ada, upload, bodies[answers.findIndex(({ status }) => status === 204)]!);
      }
  });

  it('of which one hangs: a client that comes back goes on, and what hung no longer counts', async () => {
    const upload = await TusUpload.begin(ada, SIZE, 'hangs.bin');
    const stale = noise(9);
    const held = new Held(stale.subarray(0, TUS_PART_BYTES + 1), stale.subarray(TUS_PART_BYTES + 1));
    const hanging = upload.append(0, held.body);
    await expect.poll(async () => (await upload.status()).received).toBe(TUS_PART_BYTES);
    expect(await upload.offset()).toBe(TUS_PART_BYTES);
    expect((await upload.append(TUS_PART_BYTES, bytes.subarray(TUS_PART_BYTES, SIZE - 1))).status).toBe(204);
    held.release();
    expect(await problemOf(await hanging)).toMatchObject({ status: 409, code: 'conflict', offset: SIZE - 1 });
    expect((await upload.append(SIZE - 1, bytes.subarray(SIZE - 1))).status).toBe(204);
    await expectFile(
      ada,
      upload,
      new Uint8Array([...stale.subarray(0, TUS_PART_BYTES), ...bytes.subarray(TUS_PART_BYTES)]),
    );
  });

  it('of which one stores its part late: that does not take the place of the one that counts', async () => {
    const upload = await TusUpload.begin(ada, SIZE, 'late-part.bin');
    const bucket = new SlowBucket(FILES);
    const late = serviceWith(bucket).receive(addressOf(upload), 0, {
      body: new Blob([noise(9)]).stream(),
      length: SIZE,
      checksum: undefined,
    });
    await bucket.reached;
    expect((await upload.append(0, bytes.subarray(0, TUS_PART_BYTES + 1))).status).toBe(204);
    bucket.release();
    await expect(late).rejects.toMatchObject({ code: 'conflict' });
    expect((await upload.append(TUS_PART_BYTES + 1, bytes.subarray(TUS_PART_BYTES + 1))).status).toBe(204);
    await expectFile(ada, upload, bytes);
  });

  it('of which one asks where to go on: it is told what is just being stored', async () => {
    const upload = await TusUpload.begin(ada, 6, 'asks.txt');
    const held = new Held(utf8('abc'), utf8('de'));
    const sending = upload.append(0, held.body);
    await expect.poll(async () => (await ada.rows('file_uploads')).some(({ busy }) => busy === 1)).toBe(true);
    const asked = upload.offset();
    held.release();
    expect([await asked, (await sending).status]).toEqual([5, 204]);
  });

  it('of which one gives the upload up: the other stores nothing', async () => {
    const dan = await Owner.signIn('dan@tus.example.com');
    const upload = await TusUpload.begin(dan, SIZE, 'given-up.bin');
    const held = new Held(bytes.subarray(0, TUS_PART_BYTES + 1), bytes.subarray(TUS_PART_BYTES + 1));
    const sending = upload.append(0, held.body);
    await expect.poll(async () => (await upload.status()).received).toBe(TUS_PART_BYTES);
    expect((await upload.terminate()).status).toBe(204);
    held.release();
    expect([404, 503]).toContain((await sending).status);
    await expectNothing(dan);
  });
});

describe('an upload by tus that is given up', () => {
  it('is gone for every request, and frees its room at once', async () => {
    const bob = await Owner.signIn('bob@tus.example.com');
    const upload = await TusUpload.begin(bob, SIZE, 'unwanted.bin');
    await upload.append(0, bytes.subarray(0, TUS_PART_BYTES + 100));
    const gone = await upload.terminate();
    expect([gone.status, gone.headers.get('Tus-Resumable')]).toEqual([204, '1.0.0']);
    const head = await upload.head();
    expect([head.status, head.headers.has('Upload-Offset')]).toEqual([404, false]);
    expect((await upload.append(TUS_PART_BYTES + 100, 'x')).status).toBe(404);
    expect((await upload.terminate()).status).toBe(404);
    await expectNothing(bob);
  });

  it('leaves the file that was made of it', async () => {
    const upload = await TusUpload.begin(ada, 3, 'stays.txt');
    await upload.append(0, 'abc');
    const { file_id: id } = await upload.status();
    expect((await upload.terminate()).status).toBe(204);
    expect((await upload.head()).status).toBe(404);
    await sweepLater(ada);
    expect(await (await ada.fetch(`/files/${id}`)).text()).toBe('abc');
  });

  it('by nobody: it is forgotten after an hour without a byte, and after days without another', async () => {
    const carol = await Owner.signIn('carol@tus.example.com');
    const made = await begin(carol, SIZE, { path: 'never.bin' });
    const expires = Date.parse(made.headers.get('Upload-Expires') ?? '');
    expect(Math.abs(expires - Date.now() - TUS_FIRST_MS)).toBeLessThan(60_000);
    const never = new TusUpload(made.headers.get('Location') ?? '');
    const left = await TusUpload.begin(carol, SIZE, 'left.bin');
    await left.append(0, bytes.subarray(0, TUS_PART_BYTES + 100));
    await carol.sql(`UPDATE file_uploads SET expires_at = expires_at - ${TUS_FIRST_MS}`);
    await sweep(carol);
    expect((await never.head()).status).toBe(404);
    expect(await left.offset()).toBe(TUS_PART_BYTES + 100);

    await carol.sql(`UPDATE file_uploads SET expires_at = expires_at - ${PARTS_MS}`);
    expect((await left.head()).status).toBe(404);
    expect((await left.append(TUS_PART_BYTES + 100, 'x')).status).toBe(404);
    await sweep(carol);
    // The tail has its time in the list of loose objects.
    await carol.sql('UPDATE loose_objects SET due_at = 0');
    await expectNothing(carol);
  });

  it('by a crash: what was stored and does not count is swept, and the upload goes on', async () => {
    const dora = await Owner.signIn('dora@tus.example.com');
    const upload = await TusUpload.begin(dora, SIZE, 'crashed.bin');
    await upload.append(0, bytes.subarray(0, 1000));
    const [row] = await dora.rows('file_uploads');
    const key = `${dora.personId}/att_crashed`;
    await FILES.put(key, 'bytes of a request that was killed before they counted');
    await dora.sql(
      `INSERT INTO loose_objects (object_key, upload_id, due_at, claimed) VALUES ('${key}', '${row?.['id'] as string}', 9000000000000, 0)`,
    );
    expect(await upload.offset()).toBe(1000);
    expect((await upload.append(1000, bytes.subarray(1000))).status).toBe(204);
    await expectFile(dora, upload, bytes);
    await sweepLater(dora);
    expect(await dora.objects()).toHaveLength(1);
    expect(await dora.rows('loose_objects')).toEqual([]);
  });

  it('by a crash after its last byte: the object is made all the same', async () => {
    const upload = await TusUpload.begin(ada, SIZE, 'unfinished.bin');
    await upload.append(0, bytes.subarray(0, SIZE - 1));
    // The last byte counts, and nothing that would follow happens.
    await ada.sql(
      "CREATE TRIGGER crash BEFORE UPDATE ON file_uploads WHEN new.state = 'verifying' BEGIN SELECT RAISE(ABORT, 'crash'); END",
    );
    const last = upload.append(SIZE - 1, bytes.subarray(SIZE - 1));
    await expect.poll(async () => (await upload.status()).received).toBe(SIZE);
    expect((await upload.status()).state).toBe('verifying');
    await ada.sql('DROP TRIGGER crash');
    await ada.sql("UPDATE agenda SET due_at = 0 WHERE task = 'verify'");
    await runDurableObjectAlarm(ada.workspace);
    await expectFile(ada, upload, bytes);
    expect((await last).status).toBe(204);
  });
});

describe('an upload by tus is refused', () => {
  it('when there is no room, before its bytes', async () => {
    const frank = await Owner.signIn('frank@tus.example.com');
    await frank.sql('UPDATE file_usage SET bytes = 9999999990');
    expect(await problemOf(await begin(frank, 11, { path: 'a' }))).toMatchObject({
      status: 413,
      code: 'too_large',
      free: 10,
    });
    const never = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
    expect((await begin(frank, 11, { path: 'a' }, BYTES, never)).status).toBe(413);
    const [one, two] = await Promise.all([begin(frank, 10, { path: 'b' }), begin(frank, 10, { path: 'c' })]);
    expect([one.status, two.status].toSorted((a, b) => a - b)).toEqual([201, 413]);
    const huge = await begin(frank, 20_000_000_001, { path: 'd' });
    expect(await problemOf(huge)).toMatchObject({ status: 413, limit: Number(huge.headers.get('Tus-Max-Size')) });
    expect(await frank.rows('file_uploads')).toHaveLength(1);
    expect(await frank.objects()).toEqual([]);
  });

  it('with another checksum: nothing of the request counts or stays', async () => {
    const gina = await Owner.signIn('gina@tus.example.com');
    const upload = await TusUpload.begin(gina, SIZE, 'sums.bin');
    await upload.append(0, bytes.subarray(0, 100));
    const wrong = await checksumOf('something else');
    for (const end of [200, SIZE]) {
      const refused = await upload.append(100, bytes.subarray(100, end), wrong);
      expect(await problemOf(refused)).toMatchObject({ status: 460, code: 'invalid_input' });
      expect(refused.headers.get('Tus-Resumable')).toBe('1.0.0');
      expect(await upload.offset()).toBe(100);
    }
    // The tail with the first hundred, and nothing else.
    expect(await gina.objects()).toHaveLength(1);
    const rest = bytes.subarray(100);
    expect((await upload.append(100, rest, await checksumOf(rest))).status).toBe(204);
    await expectFile(gina, upload, bytes);
    const created = await begin(gina, 3, { path: 'never.txt' }, { ...BYTES, ...wrong }, 'abc');
    expect([created.status, created.headers.has('Location')]).toEqual([460, false]);
    expect(await gina.rows('file_uploads')).toHaveLength(1);
  });

  it.each([
    'crc32 AAAAAA==',
    'sha1',
    'sha1 !!',
    'sha1 AAAA',
    'SHA1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=',
    'constructor AAAA',
    '',
  ])('with a checksum that is none: %s', async (checksum) => {
    const upload = await TusUpload.begin(eve, 5, 'no-checksum.txt');
    const refused = await upload.append(0, 'hello', { 'Upload-Checksum': checksum });
    expect(await problemOf(refused)).toMatchObject({ status: 400, code: 'invalid_input' });
    expect(await upload.offset()).toBe(0);
    await upload.terminate();
  });

  it('at another offset', async () => {
    const upload = await TusUpload.begin(ada, 6, 'offsets.txt');
    await upload.append(0, 'abc');
    for (const offset of [0, 2, 4, 6, 7])
      expect(await problemOf(await upload.append(offset, 'x'))).toMatchObject({
        status: 409,
        code: 'conflict',
        offset: 3,
      });
    for (const offset of ['-1', '1.5', 'x', '', '0x3', '99999999999999999'])
      expect((await upload.append(3, 'x', { 'Upload-Offset': offset })).status).toBe(400);
    expect(await upload.offset()).toBe(3);
    await upload.append(3, 'def');
    expect((await upload.append(6, '')).status).toBe(409);
  });

  it.each([
    ['says so', (body: string) => body, { 'Content-Length': '4' }],
    ['does not say so', (body: string) => streamOf(body), {}],
  ])('with a body beyond its length that %s', async (_what, body, headers: Record<string, string>) => {
    const hal = await Owner.signIn(`hal-${Object.keys(headers).length}@tus.example.com`);
    const upload = await TusUpload.begin(hal, 6, 'too-long.txt');
    await upload.append(0, 'abc');
    expect(await problemOf(await upload.append(3, body('defg'), headers))).toMatchObject({
      status: 413,
      code: 'too_large',
    });
    expect(await upload.offset()).toBe(3);
    expect((await begin(hal, 3, { path: 'too-long-2.txt' }, { ...BYTES, ...headers }, body('defg'))).status).toBe(413);
    expect(await hal.rows('file_uploads')).toHaveLength(1);
    expect((await upload.append(3, 'def')).status).toBe(204);
  });

  it('when all is here and has another sha256 than its metadata says', async () => {
    const ida = await Owner.signIn('ida@tus.example.com');
    const upload = await TusUpload.begin(ida, 3, 'wrong.txt', { sha256: '0'.repeat(64) });
    const refused = await upload.append(0, 'abc');
    expect(await problemOf(refused)).toMatchObject({
      status: 400,
      detail: expect.stringContaining(await sha256Hex('abc')),
    });
    // Whoever resumes it must begin anew.
    expect((await upload.head()).status).toBe(404);
    expect(await upload.status()).toMatchObject({ state: 'failed', problem: expect.stringContaining('sha256') });
    // It holds no room until it is forgotten.
    await ida.sql('UPDATE file_usage SET bytes = 9999999997');
    expect((await (await TusUpload.begin(ida, 3, 'right.txt')).terminate()).status).toBe(204);
    await upload.terminate();
    await expectNothing(ida);
  });

  it.each([
    ['no name', metadataOf({ caption: 'x' })],
    ['nothing', ''],
    ['a path that leads out', metadataOf({ path: '../x' })],
    ['a path with a NUL', metadataOf({ filename: 'a\0b' })],
    ['an absolute path', metadataOf({ path: '/x' })],
    ['a name of a device', metadataOf({ filename: 'con' })],
    ['a name of 5,000 characters', metadataOf({ filename: 'x'.repeat(5000) })],
    ['a name that is no UTF-8', 'filename /w=='],
    ['no base64', 'filename not-base64!'],
    ['base64 that is cut', 'filename dGFibGUuY3N'],
    ['a key twice', 'filename YQ==,filename Yg=='],
    ['three words', 'filename YQ== Yg=='],
    ['an empty pair', 'filename YQ==,,caption YQ=='],
    ['a sha256 that is none', metadataOf({ filename: 'a', sha256: 'x' })],
    ['more than there may be', metadataOf({ filename: 'a', caption: 'x'.repeat(8000) })],
  ])('with metadata of %s', async (_what, metadata) => {
    const refused = await begin(eve, 1, {}, { 'Upload-Metadata': metadata });
    expect(await problemOf(refused)).toMatchObject({ status: 400, code: 'invalid_input' });
    expect(await eve.rows('file_uploads')).toEqual([]);
  });

  it.each([
    ['no length', { 'Upload-Length': '' }],
    ['a negative one', { 'Upload-Length': '-1' }],
    ['one that is to come', { 'Upload-Length': '', 'Upload-Defer-Length': '1' }],
    ['a part of several', { 'Upload-Concat': 'partial' }],
  ])('with %s', async (_what, headers: Record<string, string>) => {
    expect((await begin(eve, 1, { path: 'x' }, headers)).status).toBe(400);
  });

  it('for another version of tus, and says which there is', async () => {
    const upload = await TusUpload.begin(ada, 3, 'version.txt');
    for (const version of [{}, { 'Tus-Resumable': '0.2.2' }, { 'Tus-Resumable': '2.0.0' }])
      for (const ask of [
        async () => ada.fetch('/files/tus', { method: 'POST', headers: { ...version, 'Upload-Length': '3' } }),
        async () => send(upload.url, { method: 'HEAD', headers: version }),
        async () =>
          send(upload.url, { method: 'PATCH', headers: { ...BYTES, 'Upload-Offset': '0', ...version }, body: 'abc' }),
        async () => send(upload.url, { method: 'DELETE', headers: version }),
      ]) {
        const { status, headers } = await ask();
        expect([status, headers.get('Tus-Version')]).toEqual([412, '1.0.0']);
      }
    expect(await upload.offset()).toBe(0);
  });

  it.each([{}, { 'Content-Type': 'application/octet-stream' }, { 'Content-Type': 'multipart/form-data; boundary=x' }])(
    'with bytes of another type: %j',
    async (type: Record<string, string>) => {
      const upload = await TusUpload.begin(eve, 3, 'type.txt');
      const headers = { ...VERSION, 'Upload-Offset': '0', ...type };
      const answer = await send(upload.url, { method: 'PATCH', headers, body: utf8('abc') });
      expect(await problemOf(answer)).toMatchObject({ status: 415, code: 'unsupported' });
      expect(await upload.offset()).toBe(0);
      await upload.terminate();
    },
  );

  it('without a token, or with one that may not write', async () => {
    const headers = { ...VERSION, 'Upload-Length': '1', 'Upload-Metadata': metadataOf({ path: 'x' }) };
    expect((await send('/files/tus', { method: 'POST', headers })).status).toBe(401);
    const reader = await Owner.signIn('reader@tus.example.com', 'files:read');
    expect((await begin(reader, 1, { path: 'x' })).status).toBe(403);
  });

  it('at an address with one character changed, of another purpose, or with another’s claims', async () => {
    const mine = new URL((await TusUpload.begin(ada, 3, 'mine.txt')).url).pathname;
    const hers = new URL((await TusUpload.begin(eve, 3, 'hers.txt')).url).pathname;
    const { url } = await ada.upload('plain.txt', 'abc');
    const plain = new URL(url).pathname;
    const changed = Array.from(mine.slice('/tus/'.length), (character, at) => {
      const other = character === 'A' ? 'B' : 'A';
      return `/tus/${mine.slice('/tus/'.length, '/tus/'.length + at)}${other}${mine.slice('/tus/'.length + at + 1)}`;
    });
    const mixed = `${hers.split('.')[0]}.${mine.split('.')[1]}`;
    for (const path of [...changed, mixed, plain.replace('/upload/', '/tus/'), '/tus/upl_00000000000000000000']) {
      const answer = await new TusUpload(path).append(0, 'abc');
      expect({ path, ...(await problemOf(answer)) }).toMatchObject({ path, status: 403, code: 'forbidden' });
      expect(answer.headers.get('Tus-Resumable')).toBe('1.0.0');
    }
    expect((await put(mine.replace('/tus/', '/upload/'), 'abc')).status).toBe(403);
    expect(await new TusUpload(mine).offset()).toBe(0);
    expect(await new TusUpload(hers).offset()).toBe(0);
  });

  it('when the app that began it was disconnected', async () => {
    const jan = await Owner.signIn('jan@tus.example.com');
    const upload = await TusUpload.begin(jan, 3, 'late.txt');
    await jan.workspace.revokeGrant(jan.grantId);
    expect((await upload.head()).status).toBe(403);
    expect((await upload.append(0, 'abc')).status).toBe(403);
    expect(await jan.objects()).toEqual([]);
  });

  it('when too much of it comes to nothing', async () => {
    const kay = await Owner.signIn('kay@tus.example.com');
    const upload = await TusUpload.begin(kay, SIZE, 'lost.bin');
    await kay.sql('UPDATE file_uploads SET numbers = 1000');
    const answer = await upload.append(0, bytes.subarray(0, TUS_PART_BYTES));
    expect(await problemOf(answer)).toMatchObject({ status: 429, code: 'limit_exceeded' });
    expect(await upload.offset()).toBe(0);
  });
});

describe('pages of other origins', () => {
  const origin = 'https://elsewhere.example';
  const list = (header: string | null) => String(header).toLowerCase().split(/,\s*/);

  it.each(['/files/tus', '/tus/forged.address'])('may ask what %s takes, and how', async (path) => {
    const asked =
      'tus-resumable,upload-length,upload-metadata,upload-offset,upload-checksum,content-type,authorization';
    const preflight = { 'Access-Control-Request-Method': 'PATCH', 'Access-Control-Request-Headers': asked };
    const { status, headers } = await send(path, { method: 'OPTIONS', headers: { Origin: origin, ...preflight } });
    expect([status, headers.get('Access-Control-Allow-Origin')]).toEqual([204, origin]);
    expect(list(headers.get('Access-Control-Allow-Methods'))).toEqual(
      expect.arrayContaining(['post', 'head', 'patch', 'delete']),
    );
    expect(list(headers.get('Access-Control-Allow-Headers'))).toEqual(expect.arrayContaining(asked.split(',')));
    expect(headers.has('Access-Control-Allow-Credentials')).toBe(false);
    expect(Object.fromEntries(headers)).toMatchObject({
      'tus-version': '1.0.0',
      'tus-extension': 'creation,creation-with-upload,expiration,checksum,termination',
      'tus-checksum-algorithm': 'sha1,sha256,md5',
      'tus-max-size': '20000000000',
    });
  });

  it('may read what they need of every answer, refusals too', async () => {
    const made = await begin(ada, 3, { path: 'from-a-page.txt' }, { Origin: origin });
    const upload = new TusUpload(made.headers.get('Location') ?? '');
    const answers = {
      creation: made,
      bytes: await upload.append(0, 'ab', { Origin: origin }),
      conflict: await upload.append(0, 'ab', { Origin: origin }),
      head: await send(upload.url, { method: 'HEAD', headers: { ...VERSION, Origin: origin } }),
      forged: await send('/tus/x', { method: 'HEAD', headers: { ...VERSION, Origin: origin } }),
    };
    for (const [kind, { headers }] of Object.entries(answers)) {
      expect(headers.get('Access-Control-Allow-Origin'), kind).toBe(origin);
      expect(list(headers.get('Access-Control-Expose-Headers')), kind).toEqual(
        expect.arrayContaining([
          'location',
          'upload-offset',
          'upload-length',
          'upload-expires',
          'upload-metadata',
          'tus-resumable',
          'tus-version',
          'tus-extension',
          'tus-max-size',
        ]),
      );
      expect(headers.has('Access-Control-Allow-Credentials'), kind).toBe(false);
    }
  });
});
