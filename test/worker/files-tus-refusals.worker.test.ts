import { beforeAll, describe, expect, it } from 'vitest';

import { TUS_PART_BYTES } from '../../src/files/model.ts';
import { sha256Hex, utf8 } from '../../src/lib/encoding.ts';
import { Owner, problemOf, put, streamOf } from '../support/files.ts';
import { send } from '../support/person.ts';
import {
  begin,
  BYTES,
  checksumOf,
  expectFile,
  expectNothing,
  metadataOf,
  noise,
  SIZE,
  TusUpload,
  VERSION,
} from '../support/tus.ts';

let ada: Owner;
let eve: Owner;
beforeAll(async () => {
  ada = await Owner.signIn('ada@tus.example.com');
  eve = await Owner.signIn('eve@tus.example.com');
});

const bytes = noise(0);

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
