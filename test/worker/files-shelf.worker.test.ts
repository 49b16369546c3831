import { evictDurableObject } from 'cloudflare:test';
import { beforeAll, describe, expect, it } from 'vitest';

import { VERSIONS_KEPT } from '../../src/files/model.ts';
import { FILES_SCHEMA } from '../../src/files/schema.ts';
import { sha256Hex } from '../../src/lib/encoding.ts';
import { Owner, put } from '../support/files.ts';
import type { Ref, Shown } from '../support/files.ts';
import { times } from '../support/rounds.ts';

let ada: Owner;
beforeAll(async () => {
  ada = await Owner.signIn('ada@example.com');
});

const somebody = async () => Owner.signIn(`${crypto.randomUUID()}@example.com`);

interface Several {
  readonly session: Ref;
  readonly count: number;
  readonly paths: readonly string[];
}

const textOf = async (owner: Owner, file: string, version?: number) =>
  (await owner.call<{ text: string }>('file_read', { file, ...(version === undefined ? {} : { version }) })).text;

const paths = async (owner: Owner, input: Record<string, unknown> = {}) =>
  (await owner.call<{ files: Shown[] }>('file_list', input)).files.map(({ path }) => path);

describe('a path', () => {
  it('is one file, whose bytes can be replaced and got back', async () => {
    const first = await ada.write('plan.md', 'one');
    const second = await ada.write('plan.md', 'two');
    expect([second.id, second.version]).toEqual([first.id, 2]);
    expect([await textOf(ada, 'plan.md'), await textOf(ada, 'plan.md', 1)]).toEqual(['two', 'one']);
    const { file } = await ada.call<{ file: Shown }>('file_restore', { file: 'plan.md', version: 1 });
    expect([file.version, await textOf(ada, first.id)]).toEqual([3, 'one']);
    await expect(ada.call('file_read', { file: 'plan.md', version: 9 })).rejects.toThrow('not_found');
  });

  it('keeps its last versions and lets go of the bytes of the others', async () => {
    const bob = await somebody();
    for (let version = 1; version <= VERSIONS_KEPT + 3; version++) await bob.write('log.txt', `entry ${version}`);
    await expect.poll(async () => (await bob.objects()).length).toBe(VERSIONS_KEPT);
    expect(await textOf(bob, 'log.txt', 4)).toBe('entry 4');
    await expect(bob.call('file_read', { file: 'log.txt', version: 3 })).rejects.toThrow('not_found');
  });

  it('is refused or another one where the writer wants that', async () => {
    const { id } = await ada.write('taken.txt', 'there');
    const write = async (if_exists: string) =>
      ada.call<{ file: Shown }>('file_write', { path: 'taken.txt', text: 'new', if_exists });
    await expect(write('fail')).rejects.toThrow(/^conflict/);
    const { file } = await write('keep_both');
    expect([file.path, file.id === id]).toEqual(['taken (2).txt', false]);
    expect((await write('keep_both')).file.path).toBe('taken (3).txt');
    expect(await textOf(ada, id)).toBe('there');
  });

  it('that two uploads go to at once is one file with two versions, and both ids name it', async () => {
    const uploads = await Promise.all(['first', 'later'].map(async (text) => ada.upload('both.txt', text)));
    expect(uploads[0]?.id).not.toBe(uploads[1]?.id);
    const answers = [];
    for (const [index, { url }] of uploads.entries()) answers.push((await put(url, ['first', 'later'][index]!)).status);
    expect(answers).toEqual([201, 201]);
    for (const { id } of uploads) expect(await textOf(ada, id)).toBe('later');
    expect((await paths(ada)).filter((path) => path === 'both.txt')).toHaveLength(1);
  });

  it('is of its session', async () => {
    await ada.call('session_open', { session: 'Other' });
    await ada.write('same.txt', 'here');
    await ada.write('same.txt', 'there', 'other');
    expect(await textOf(ada, 'same.txt')).toBe('here');
    expect(await ada.call('file_read', { file: 'same.txt', session: 'other' })).toMatchObject({ text: 'there' });
  });
});

describe('an edit', () => {
  it('replaces what stands there once, of the version that was read', async () => {
    await ada.write('essay.md', 'a rose is a rose');
    const edit = async (version: number, ...edits: { old: string; new: string }[]) =>
      ada.call<{ file: Shown }>('file_edit', { file: 'essay.md', expected_version: version, edits });
    const { file } = await edit(1, { old: 'is a rose', new: 'is a tulip' }, { old: 'tulip', new: 'daisy' });
    expect([file.version, await textOf(ada, 'essay.md')]).toEqual([2, 'a rose is a daisy']);
    await expect(edit(1, { old: 'daisy', new: 'rose' })).rejects.toThrow(/^conflict.*version.*2/s);
    await expect(edit(2, { old: 'a ', new: '' })).rejects.toThrow(/^conflict.*more than once/);
    await expect(edit(2, { old: 'daisy', new: 'x' }, { old: 'tulip', new: 'y' })).rejects.toThrow(/^conflict.*edit 2/);
    expect(await textOf(ada, 'essay.md')).toBe('a rose is a daisy');
  });

  it('of many at once with one version counts once', async () => {
    await ada.write('race.md', 'start');
    const edits = times(10, async (index) =>
      ada
        .call('file_edit', { file: 'race.md', expected_version: 1, edits: [{ old: 'start', new: `won by ${index}` }] })
        .then(
          () => 'edited',
          (error: Error) => error.message.split(':')[0],
        ),
    );
    const outcomes = await Promise.all(edits);
    expect(outcomes.filter((outcome) => outcome === 'edited')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'conflict')).toHaveLength(9);
    expect(await textOf(ada, 'race.md')).toMatch(/^won by \d$/);
  });

  it('changes no file that is no text', async () => {
    const bytes = '\u0000\u0001';
    const { id, url } = await ada.upload('b.bin', bytes);
    await put(url, bytes);
    const edits = [{ old: '\u0001', new: 'x' }];
    await expect(ada.call('file_edit', { file: id, expected_version: 1, edits })).rejects.toThrow(/^unsupported/);
  });
});

describe('folders', () => {
  it('are listed level by level, page by page', async () => {
    const bob = await somebody();
    for (const path of ['a/1.txt', 'a/b/2.txt', 'a/b/c/3.txt', 'a.txt', 'z.txt', 'a0.txt']) await bob.write(path, 'x');
    const level = async (folder: string) => {
      const entries: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await bob.call<{ folders: string[]; files: Shown[]; next_cursor?: string }>('file_list', {
          view: 'folder',
          folder,
          limit: 1,
          ...(cursor === undefined ? {} : { cursor }),
        });
        entries.push(...page.folders, ...page.files.map(({ path }) => path));
        cursor = page.next_cursor;
      } while (cursor !== undefined);
      return entries;
    };
    expect(await level('')).toEqual(['a.txt', 'a/', 'a0.txt', 'z.txt']);
    expect(await level('a')).toEqual(['a/1.txt', 'a/b/']);
    expect(await level('a/b/')).toEqual(['a/b/2.txt', 'a/b/c/']);
    expect(await level('none')).toEqual([]);
    expect(await paths(bob, { folder: 'a', order: 'path' })).toEqual(['a/1.txt', 'a/b/2.txt', 'a/b/c/3.txt']);
  });

  it('move as a whole, or not at all', async () => {
    const bob = await somebody();
    for (const path of ['old/1.txt', 'old/in/2.txt', 'new/in/2.txt']) await bob.write(path, path);
    await expect(bob.call('file_move', { file: 'old/', to: 'new/' })).rejects.toThrow(/^conflict/);
    expect(await paths(bob, { order: 'path' })).toEqual(['new/in/2.txt', 'old/1.txt', 'old/in/2.txt']);
    const moved = await bob.call<Several>('file_move', { file: 'old/', to: 'archive/2026/' });
    expect(moved.paths).toEqual(['archive/2026/1.txt', 'archive/2026/in/2.txt']);
    expect(await textOf(bob, 'archive/2026/in/2.txt')).toBe('old/in/2.txt');
    await expect(bob.call('file_move', { file: 'archive/', to: 'file.txt' })).rejects.toThrow(/^invalid_input/);
    await expect(bob.call('file_move', { file: 'nothing/', to: 'x/' })).rejects.toThrow(/^not_found/);
  });
});

describe('files', () => {
  it('move, are renamed and tagged, and keep their id', async () => {
    const { id } = await ada.write('draft.txt', 'text');
    await ada.call('session_open', { session: 'Archive' });
    const moved = await ada.call<Several>('file_move', {
      file: 'draft.txt',
      to: 'done/final.txt',
      to_session: 'archive',
      tags: ['Done', '2026', 'Done'],
    });
    expect(moved).toMatchObject({ session: { slug: 'archive' }, count: 1, paths: ['done/final.txt'] });
    const { files } = await ada.call<{ files: Shown[] }>('file_list', { session: 'archive' });
    expect(files).toMatchObject([{ id, path: 'done/final.txt', tags: ['Done', '2026'] }]);
    expect(await paths(ada, { session: 'archive', tag: '2026' })).toEqual(['done/final.txt']);
    expect(await paths(ada, { session: 'archive', tag: '202' })).toEqual([]);
    await ada.write('in-the-way.txt', 'x', 'archive');
    await expect(ada.call('file_move', { file: id, to: 'in-the-way.txt' })).rejects.toThrow(/^conflict/);
    await ada.call('file_move', { file: id, tags: [] });
    expect(await paths(ada, { session: 'archive', tag: '2026' })).toEqual([]);
  });

  it('are copied without being stored twice', async () => {
    const bob = await somebody();
    const { id } = await bob.write('original.txt', 'the same bytes');
    const { file } = await bob.call<{ file: Shown }>('file_copy', { file: 'original.txt', to: 'copies/one.txt' });
    await bob.write('written.txt', 'the same bytes');
    expect(file.id).not.toBe(id);
    await expect.poll(async () => (await bob.objects()).length).toBe(1);
    expect(await bob.rows('file_usage')).toMatchObject([{ bytes: 14, files: 3 }]);
    await bob.write('original.txt', 'changed');
    expect(await textOf(bob, 'copies/one.txt')).toBe('the same bytes');
    await expect(bob.call('file_copy', { file: id, to: 'written.txt' })).rejects.toThrow(/^conflict/);
  });

  it('are listed in every order, with the same pages forwards', async () => {
    const bob = await somebody();
    for (const [index, size] of [5, 3, 9, 3, 1].entries()) await bob.write(`${index}.txt`, 'x'.repeat(size));
    const all = async (input: Record<string, unknown>) => {
      const found: string[] = [];
      let cursor: string | undefined;
      do {
        const more = cursor === undefined ? {} : { cursor };
        const page = await bob.call<{ files: Shown[]; next_cursor?: string }>('file_list', {
          limit: 2,
          ...input,
          ...more,
        });
        found.push(...page.files.map(({ path }) => path.charAt(0)));
        cursor = page.next_cursor;
      } while (cursor !== undefined);
      return found.join('');
    };
    for (const scope of [{}, { all_sessions: true }]) {
      expect(await all({ order: 'path', ...scope })).toBe('01234');
      expect(await all({ order: 'path', descending: true, ...scope })).toBe('43210');
      expect((await all({ order: 'size', ...scope })).replace(/[13]{2}/, 'ss')).toBe('20ss4');
      expect(await all({ order: 'size', descending: false, ...scope })).toMatch(/^4(?:13|31)02$/);
      expect((await all({ order: 'created', ...scope })).length).toBe(5);
    }
  });
});

describe('the trash', () => {
  it('takes a file or a folder, frees its path, and gives it back', async () => {
    const bob = await somebody();
    const { id } = await bob.write('a/1.txt', 'first');
    await bob.write('a/2.txt', 'second');
    expect(await bob.call('file_delete', { file: 'a/' })).toMatchObject({ count: 2 });
    expect(await paths(bob)).toEqual([]);
    expect((await paths(bob, { view: 'trash' })).toSorted()).toEqual(['a/1.txt', 'a/2.txt']);
    expect((await bob.fetch(`/files/${id}`)).status).toBe(404);

    await bob.write('a/1.txt', 'new');
    await expect(bob.call('file_restore', { file: id })).rejects.toThrow(/^conflict/);
    const { file } = await bob.call<{ file: Shown }>('file_restore', { file: id, to: 'a/1 (restored).txt' });
    expect([file.id, file.path, await textOf(bob, id)]).toEqual([id, 'a/1 (restored).txt', 'first']);
    await expect(bob.call('file_restore', { file: id })).rejects.toThrow(/^not_found/);
    await expect(bob.call('file_delete', { file: 'nothing.txt' })).rejects.toThrow(/^not_found/);
  });
});

describe('file_wait', () => {
  interface Arrivals {
    readonly files: readonly { readonly id: string; readonly path: string; readonly version: number }[];
    readonly since: string;
  }

  it('says what came as soon as it comes, and goes on from there', async () => {
    const bob = await somebody();
    await bob.write('before.txt', 'x');
    const upload = await bob.upload('in/photo.txt', 'abc');
    const waiting = bob.call<Arrivals>('file_wait', { folder: 'in', seconds: 20 });
    await scheduler.wait(50);
    await put(upload.url, 'abc');
    const first = await waiting;
    expect(first.files).toMatchObject([{ id: upload.id, path: 'in/photo.txt', version: 1 }]);
    await bob.write('elsewhere.txt', 'x');
    await bob.write('in/second.txt', 'x');
    await bob.write('in/third.txt', 'x');
    const second = await bob.call<Arrivals>('file_wait', { folder: 'in', since: first.since });
    const third =
      second.files.length === 2 ? second : await bob.call<Arrivals>('file_wait', { folder: 'in', since: second.since });
    expect(third.files.at(-1)?.path).toBe('in/third.txt');
  });

  it('ends in time when nothing comes, and can be called again', async () => {
    const bob = await somebody();
    const nothing = await bob.call<Arrivals>('file_wait', { seconds: 1 });
    expect(nothing.files).toEqual([]);
    await bob.write('late.txt', 'x');
    expect((await bob.call<Arrivals>('file_wait', { since: nothing.since })).files).toMatchObject([
      { path: 'late.txt' },
    ]);
    await expect(bob.call('file_wait', { since: 'nonsense' })).rejects.toThrow(/^invalid_input/);
    await expect(bob.call('file_wait', { seconds: 51 })).rejects.toThrow(/^invalid_input/);
  });
});

describe('a quota', () => {
  const filled = async (owner: Owner, free: number) =>
    owner.sql(`UPDATE file_usage SET bytes = ${10_000_000_000 - free}`);

  it('is counted before bytes are taken, with what is on its way', async () => {
    const bob = await somebody();
    await filled(bob, 10);
    await bob.upload('1.txt', '123456');
    await expect(bob.upload('2.txt', '12345')).rejects.toThrow(/^too_large.*no room.*"free":4/s);
    await expect(bob.write('3.txt', '12345')).rejects.toThrow(/^too_large/);
    expect(await bob.objects()).toEqual([]);
    const response = await bob.fetch('/files?path=4.txt', {
      method: 'POST',
      body: '12345',
      headers: { 'Content-Length': '5' },
    });
    expect(response.status).toBe(413);
    await bob.write('5.txt', '1234');
    // What was expected and did not come is free again.
    await bob.sql('UPDATE file_uploads SET expires_at = 1');
    await bob.runTask('uploads');
    await bob.write('6.txt', '123456');
    expect(await bob.rows('files')).toHaveLength(2);
  });

  it('that fits sixty of a hundred uploads at once takes sixty, and leaves nothing else', async () => {
    const bob = await somebody();
    await filled(bob, 600);
    const outcomes = await Promise.all(
      times(100, async (index) =>
        bob.write(`${index}.txt`, String(index).padStart(10, '.')).then(
          () => 'stored',
          (error: Error) => error.message.split(':')[0],
        ),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(60);
    expect(outcomes.filter((outcome) => outcome === 'too_large')).toHaveLength(40);
    expect([(await bob.rows('files')).length, (await bob.objects()).length]).toEqual([60, 60]);
    expect(await bob.rows('loose_objects')).toEqual([]);
  });
});

it('a workspace of the release before keeps its files, those of one name too', async () => {
  const bob = await somebody();
  const { id: storedId } = await bob.write('bytes.txt', 'kept');
  const [key = ''] = await bob.objects(storedId);
  const sha256 = await sha256Hex('kept');
  const tables = `text_search name_search content_parts content_texts file_names upload_parts
    contents content_holds files file_versions file_aliases file_uploads loose_objects file_usage file_once`;
  for (const table of tables.split(/\s+/)) await bob.sql(`DROP TABLE ${table}`);
  await bob.sql(`DELETE FROM schema_ledger WHERE feature = 'files' AND version > 1`);
  await bob.sql(FILES_SCHEMA[0]!.sql);
  const ids = ['a', 'b', 'c'].map((letter) => `fil_${letter.repeat(20)}`);
  for (const [index, id] of ids.entries())
    await bob.sql(
      `INSERT INTO files VALUES ('${id}', 'ses_default', 'same.txt', 'text/plain', 4, '${sha256}', '${index === 0 ? key : `z${index}`}', ${index + 1})`,
    );
  await evictDurableObject(bob.workspace);

  expect((await paths(bob, { order: 'path' })).toSorted()).toEqual(
    [`${ids[1]} same.txt`, `${ids[2]} same.txt`, 'same.txt'].toSorted(),
  );
  for (const id of ids) expect(await textOf(bob, id)).toBe('kept');
  expect(await bob.rows('file_usage')).toMatchObject([{ bytes: 4, files: 3 }]);
  expect((await bob.rows('loose_objects')).map((row) => row['object_key'])).toEqual(['z1', 'z2']);
  await bob.write('same.txt', 'new');
  expect(await textOf(bob, ids[0]!, 1)).toBe('kept');
});
