import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';

import type { Bindings } from '../../src/app.ts';
import { Addresses } from '../../src/files/addresses.ts';
import { R2FileBucket } from '../../src/files/bucket.ts';
import type { FileBucket } from '../../src/files/bucket.ts';
import { PARTS_MS, TUS_FIRST_MS, TUS_PART_BYTES } from '../../src/files/model.ts';
import { TusService } from '../../src/files/tus/service.ts';
import { utf8 } from '../../src/lib/encoding.ts';
import { Keyring } from '../../src/lib/keyring.ts';
import { RpcWorkspaces } from '../../src/workspace/rpc-client.ts';
import { Owner, problemOf, streamOf } from '../support/files.ts';
import { times } from '../support/rounds.ts';
import { begin, expectFile, expectNothing, Held, noise, SIZE, sweepLater, TusUpload } from '../support/tus.ts';

const { FILES, WORKSPACE, CARREL_SECRET: secret } = env as unknown as Bindings & { CARREL_SECRET: string };

let ada: Owner;
beforeAll(async () => {
  ada = await Owner.signIn('ada@tus.example.com');
});

const bytes = noise(0);

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
    await carol.runTask('uploads');
    expect((await never.head()).status).toBe(404);
    expect(await left.offset()).toBe(TUS_PART_BYTES + 100);

    await carol.sql(`UPDATE file_uploads SET expires_at = expires_at - ${PARTS_MS}`);
    expect((await left.head()).status).toBe(404);
    expect((await left.append(TUS_PART_BYTES + 100, 'x')).status).toBe(404);
    await carol.runTask('uploads');
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
    await ada.runTask('verify');
    await expectFile(ada, upload, bytes);
    expect((await last).status).toBe(204);
  });
});
