import { beforeAll, describe, expect, it } from 'vitest';

import { FormService } from '../../src/files/form-service.ts';
import type { AddressOwner } from '../../src/files/model.ts';
import type { FileWorkspace } from '../../src/files/service.ts';
import type { UploadService } from '../../src/files/upload-service.ts';
import { sha256Hex, utf8 } from '../../src/lib/encoding.ts';
import { Owner, problemOf, streamOf } from '../support/files.ts';
import type { Ref, Shown } from '../support/files.ts';

let ada: Owner;

beforeAll(async () => {
  ada = await Owner.signIn('ada@example.com');
});

interface Stored {
  readonly files: readonly { readonly file: Shown; readonly session: Ref }[];
  readonly refused: readonly { readonly name: string; readonly code: string; readonly detail: string }[];
}

type Entry = readonly [name: string, value: string, filename?: string];

/** Sends a form as a browser makes it. */
async function sendForm(entries: readonly Entry[], person = ada): Promise<Response> {
  const body = new FormData();
  for (const [name, value, filename] of entries)
    if (filename === undefined) body.append(name, value);
    else body.append(name, new File([value], filename));
  return person.fetch('/files', { method: 'POST', body });
}

/** Sends a form byte by byte as it stands here. */
const sendBytes = async (body: BodyInit, person = ada) =>
  person.fetch('/files', { method: 'POST', body, headers: { 'Content-Type': 'multipart/form-data; boundary=XX' } });
const part = (disposition: string, text: string) =>
  `--XX\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${text}\r\n`;

const pathsOf = ({ files }: Stored) => files.map(({ file }) => file.path);

describe('a form', () => {
  it('stores its files, each under its own name', async () => {
    const response = await sendForm([
      ['file', 'a,b\n', 'table.csv'],
      ['file', '# é', 'отчёт 🦊.md'],
      ['other', '', 'empty.txt'],
    ]);
    expect(response.status).toBe(201);
    const stored = await response.json<Stored>();
    expect(stored).toMatchObject({
      files: [
        { file: { path: 'table.csv', type: 'text/csv', size: 4 }, session: { slug: 'default' } },
        { file: { path: 'отчёт 🦊.md', size: 4, sha256: await sha256Hex('# é') } },
        { file: { path: 'empty.txt', size: 0 } },
      ],
      refused: [],
    });
    expect(await (await ada.fetch(`/files/${stored.files[1]?.file.id}`)).text()).toBe('# é');
    expect(await ada.rows('loose_objects')).toEqual([]);
  });

  it('says before its files where they go', async () => {
    await ada.call('session_open', { session: 'form' });
    const response = await sendForm([
      ['folder', 'in/2026'],
      ['file', '1', '1.txt'],
      ['session', 'form'],
      ['path', 'elsewhere/two.txt'],
      ['sha256', await sha256Hex('2')],
      ['file', '2', '2.txt'],
      ['file', '3', '3.txt'],
      ['folder', ''],
      ['file', '4', 'C:\\Users\\ada\\4.txt'],
      ['file', '5', '../../5.txt'],
    ]);
    const stored = await response.json<Stored>();
    expect(pathsOf(stored)).toEqual(['in/2026/1.txt', 'elsewhere/two.txt', 'in/2026/3.txt', '4.txt', '5.txt']);
    expect(stored.files.map(({ session }) => session.slug)).toEqual(['default', 'form', 'form', 'form', 'form']);
  });

  it('may name two files alike: the later is a version, or stands beside it', async () => {
    const versions = await (
      await sendForm([
        ['file', '1', 'twice'],
        ['file', '2', 'twice'],
      ])
    ).json<Stored>();
    expect(versions.files.map(({ file }) => file.version)).toEqual([1, 2]);
    const both = await (
      await sendForm([
        ['if_exists', 'keep_both'],
        ['file', '3', 'twice'],
      ])
    ).json<Stored>();
    expect(pathsOf(both)).toEqual(['twice (2)']);
  });

  it('may be large, and of unknown length', async () => {
    const large = 'x'.repeat(12_000_000);
    const pieces = [part('name="f"; filename="large"', large), part('name="f"; filename="small"', 's'), '--XX--\r\n'];
    const stored = await (await sendBytes(streamOf(...pieces))).json<Stored>();
    expect(stored.files.map(({ file }) => [file.path, file.size])).toEqual([
      ['large', 12_000_000],
      ['small', 1],
    ]);
    expect(stored.files[0]?.file.sha256).toBe(await sha256Hex(utf8(large)));
  });

  it('leaves out what a browser sends where no file was chosen', async () => {
    const stored = await (
      await sendForm([
        ['file', '', ''],
        ['file', '1', 'one'],
      ])
    ).json<Stored>();
    expect(pathsOf(stored)).toEqual(['one']);
  });
});

describe('of the files of a form', () => {
  it('each is stored or refused by itself', async () => {
    const response = await sendForm([
      ['file', 'before', 'before.txt'],
      ['sha256', '0'.repeat(64)],
      ['file', 'changed', 'changed.txt'],
      ['file', 'aux', 'aux.txt'],
      ['if_exists', 'fail'],
      ['file', 'again', 'before.txt'],
      ['session', 'nowhere'],
      ['file', 'nowhere', 'nowhere.txt'],
      ['session', 'default'],
      ['colour', 'red'],
      ['file', 'red', 'red.txt'],
    ]);
    expect(response.status).toBe(207);
    const { files, refused } = await response.json<Stored>();
    expect(files.map(({ file }) => file.path)).toEqual(['before.txt']);
    expect(refused.map(({ name, code }) => [name, code])).toEqual([
      ['changed.txt', 'invalid_input'],
      ['aux.txt', 'invalid_input'],
      ['before.txt', 'conflict'],
      ['nowhere.txt', 'not_found'],
      ['red.txt', 'invalid_input'],
    ]);
    expect(refused.at(-1)?.detail).toMatch(/a field besides session, folder/);
    expect(await ada.objects((files[0] as { file: Shown }).file.id)).toHaveLength(1);
  });

  it('those are stored for which there is room, and the others leave none of it taken', async () => {
    const person = await Owner.signIn('small@example.com');
    await person.call('file_list');
    await person.sql(`UPDATE file_usage SET bytes = ${10e9 - 1000}`);
    const response = await sendForm(
      [
        ['file', 'x'.repeat(600), 'fits'],
        ['file', 'y'.repeat(600), 'does-not'],
        ['file', 'z'.repeat(400), 'fits-too'],
        ['file', '!', 'full'],
      ],
      person,
    );
    expect(response.status).toBe(207);
    const stored = await response.json<Stored>();
    expect(pathsOf(stored)).toEqual(['fits', 'fits-too']);
    expect(stored.refused).toMatchObject([
      { name: 'does-not', code: 'too_large' },
      { name: 'full', code: 'too_large' },
    ]);
    expect(await person.objects()).toHaveLength(2);
    expect((await person.rows('file_uploads')).filter((row) => row['committed_file_id'] === null)).toEqual([]);
  });

  it('none is stored twice, and of none a part, when the form breaks off', async () => {
    const person = await Owner.signIn('broken@example.com');
    const cut = streamOf(
      part('name="f"; filename="whole"', 'whole'),
      part('name="f"; filename="cut"', 'cu').slice(0, -2),
    );
    const response = await sendBytes(cut, person);
    expect(response.status).toBe(207);
    const stored = await response.json<Stored>();
    expect(pathsOf(stored)).toEqual(['whole']);
    expect(stored.refused).toMatchObject([{ name: 'cut', code: 'invalid_input' }]);
    expect((await person.rows('files')).map((row) => row['path'])).toEqual(['whole']);
    expect(await person.objects()).toHaveLength(1);
  });

  it('the first says why, where none is stored', async () => {
    const response = await sendForm([
      ['session', 'nowhere'],
      ['file', '1', '1'],
      ['file', '2', '2'],
    ]);
    expect(await problemOf(response)).toMatchObject({ status: 404, code: 'not_found' });
  });
});

describe('what is refused as a whole', () => {
  it.each([
    ['no form', 'hello', /broken/],
    ['nothing', '', /broken|no body/],
    ['a form without a file', `${part('name="folder"', 'x')}--XX--`, /no file/],
    ['a field without an end', `${part('name="folder"', 'x'.repeat(5000))}--XX--`, /too long/],
  ])('%s', async (_what, body, detail) => {
    const problem = await problemOf(await sendBytes(body));
    expect([400, 413]).toContain(problem.status);
    expect(problem.detail).toMatch(detail);
  });

  it('a form of more parts than one request should make', async () => {
    const person = await Owner.signIn('many@example.com');
    const many = Array.from({ length: 101 }, (_, index): Entry => ['folder', String(index)]);
    expect(await problemOf(await sendForm([...many, ['file', '1', '1']], person))).toMatchObject({ code: 'too_large' });
    expect(await person.rows('files')).toEqual([]);
  });

  it('a form around one file, where the file itself belongs', async () => {
    const body = new FormData();
    body.append('file', new File(['1'], '1'));
    const response = await ada.fetch('/files?path=wrapped', { method: 'POST', body });
    expect(await problemOf(response)).toMatchObject({ status: 415, code: 'unsupported' });
  });

  it('a form without the permission to write', async () => {
    const reader = await Owner.signIn('reader@example.com', 'files:read');
    expect((await sendForm([['file', '1', '1']], reader)).status).toBe(403);
  });
});

it('a form whose length nobody says may have as many bytes as one upload', async () => {
  const took: number[] = [];
  const uploads = {
    create: async (_workspace: unknown, _owner: unknown, _input: unknown, { body }: { body: ReadableStream }) => {
      took.push((await new Response(body).arrayBuffer()).byteLength);
      return {};
    },
  } as unknown as UploadService;
  const store = async (size: number) =>
    new FormService(uploads, 1000).store({} as FileWorkspace, {} as AddressOwner, {
      body: new Blob([part('name="f"; filename="1"', 'x'.repeat(size)), '--XX--']).stream(),
      length: undefined,
      contentType: 'multipart/form-data; boundary=XX',
    });
  await store(800);
  await expect(store(1000)).rejects.toMatchObject({ code: 'too_large' });
  expect(took).toEqual([800]);
});
