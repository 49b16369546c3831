import { beforeAll, describe, expect, it } from 'vitest';

import { PARTS_MS, TUS_PART_BYTES } from '../../src/files/model.ts';
import { utf8 } from '../../src/lib/encoding.ts';
import { Owner, problemOf } from '../support/files.ts';
import type { Shown } from '../support/files.ts';
import { send } from '../support/person.ts';
import {
  begin,
  breaking,
  BYTES,
  checksumOf,
  contentOf,
  expectFile,
  metadataOf,
  noise,
  SIZE,
  sweepLater,
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
