import { beforeAll, describe, expect, it } from 'vitest';

import { Owner, put } from '../support/files.ts';

let ada: Owner;
beforeAll(async () => {
  ada = await Owner.signIn('ada@example.com');
});

const somebody = async () => Owner.signIn(`${crypto.randomUUID()}@example.com`);

interface Hit {
  readonly id: string;
  readonly path: string;
  readonly session: string;
  readonly part?: number;
  readonly label?: string;
  readonly snippet?: string;
}

const search = async (owner: Owner, query: string, more: Record<string, unknown> = {}) =>
  (await owner.call<{ files: Hit[] }>('file_search', { query, ...more })).files;

/** Until all that is stored has been read. */
async function allRead(owner: Owner): Promise<void> {
  await expect
    .poll(async () => (await owner.rows('content_texts')).filter((row) => row['state'] === 'pending').length, {
      timeout: 15_000,
    })
    .toBe(0);
}

describe('file_search', () => {
  it('finds files by words of their text, and says where', async () => {
    await ada.write('ode.txt', 'Season of mists and mellow fruitfulness');
    await ada.write('guide.md', '# Apples\n\nHow to prune.\n\n# Pears\n\nMists in the orchard.');
    await allRead(ada);
    expect(await search(ada, 'mellow mists')).toMatchObject([
      {
        path: 'ode.txt',
        session: 'default',
        part: 1,
        snippet: expect.stringContaining('[mists] and [mellow]') as string,
      },
    ]);
    expect(await search(ada, 'orchard')).toMatchObject([{ path: 'guide.md', part: 2, label: 'Pears' }]);
    expect((await search(ada, 'MISTS')).map(({ path }) => path).toSorted()).toEqual(['guide.md', 'ode.txt']);
    expect(await search(ada, 'frui')).toHaveLength(1);
    expect(await search(ada, '"mellow mists"')).toEqual([]);
    expect(await search(ada, 'mists nowhere')).toEqual([]);
  });

  it('finds files by their path at once, in front of the others', async () => {
    const bob = await somebody();
    await bob.write('notes.txt', 'about the quarterly report');
    await allRead(bob);
    await bob.write('reports/Quarterly résumé.txt', 'x');
    expect((await search(bob, 'quarterly')).map(({ path }) => path)).toEqual([
      'reports/Quarterly résumé.txt',
      'notes.txt',
    ]);
    expect(await search(bob, 'resume')).toHaveLength(1);
    await bob.call('file_move', { file: 'reports/Quarterly résumé.txt', to: 'reports/yearly.txt' });
    expect((await search(bob, 'quarterly')).map(({ path }) => path)).toEqual(['notes.txt']);
  });

  it('finds nothing that was replaced, put into the trash, or is of another session or person', async () => {
    const bob = await somebody();
    await bob.call('session_open', { session: 'Other' });
    await bob.write('a.txt', 'walrus one');
    await bob.write('b.txt', 'walrus two');
    await bob.write('c.txt', 'walrus three', 'other');
    await allRead(bob);
    expect(await search(bob, 'walrus')).toHaveLength(3);
    expect(await search(bob, 'walrus', { session: 'other' })).toMatchObject([{ path: 'c.txt', session: 'other' }]);
    await bob.write('a.txt', 'no longer');
    await bob.call('file_delete', { file: 'b.txt' });
    await allRead(bob);
    expect((await search(bob, 'walrus')).map(({ path }) => path)).toEqual(['c.txt']);
    const { files } = await bob.call<{ files: { id: string }[] }>('file_list', { view: 'trash' });
    await bob.call('file_restore', { file: files[0]?.id });
    expect(await search(bob, 'walrus')).toHaveLength(2);
    await bob.call('file_restore', { file: 'a.txt', version: 1 });
    expect(await search(bob, 'walrus')).toHaveLength(3);
    expect(await search(await somebody(), 'walrus')).toEqual([]);
  });

  it('names every file that has the same bytes', async () => {
    const bob = await somebody();
    await bob.write('one.txt', 'twin');
    await bob.call('file_copy', { file: 'one.txt', to: 'two.txt' });
    await allRead(bob);
    expect((await search(bob, 'twin')).map(({ path }) => path).toSorted()).toEqual(['one.txt', 'two.txt']);
  });

  it.each(['"', 'a AND', 'NEAR(a b)', 'path:x', '*', '(', "' OR 1=1 --", 'a*b', '-x', '^x', '\u0000'])(
    'takes %j for words, not for a command',
    async (query) => {
      const said = await search(ada, query).then(String, (error: Error) => error.message);
      expect(said).toMatch(/^$|^\[object|^invalid_input/);
    },
  );
});

describe('file_read', () => {
  const HTML =
    '<!doctype html><title>T</title><h1>First</h1><p>One &amp; only<script>steal()</script></p><h2>Second</h2><p>Two</p>';

  it('gives the text of HTML by section, and its markup to nobody who reads', async () => {
    const { id, url } = await ada.upload('page.html', HTML);
    await put(url, HTML);
    await allRead(ada);
    const whole = await ada.call<{ text: string; parts: number }>('file_read', { file: id });
    expect(whole.text).toContain('One & only');
    expect(whole.text).not.toMatch(/steal|<p>/);
    expect(await ada.call('file_read', { file: id, part: 2 })).toMatchObject({ part: 2, label: 'Second' });
    await expect(ada.call('file_read', { file: id, part: 9 })).rejects.toThrow(/^invalid_input/);
  });

  it('says at the end of the text where a limit left out what comes after', async () => {
    const html = `<p>${'words '.repeat(350_000)}</p>`;
    const { id, url } = await ada.upload('long.html', html);
    await put(url, html);
    await allRead(ada);
    expect(await ada.call('file_read', { file: id, offset: 1_999_000 })).toMatchObject({ truncated: true });
    const beginning = await ada.call('file_read', { file: id, max_bytes: 300 });
    expect(beginning).toHaveProperty('next_offset');
    expect(beginning).not.toHaveProperty('truncated');
  });

  it('says of a table what it holds, once, and how much of it does not fit', async () => {
    const text = 'city,people,since\nParis,2100000,0250-01-01\nUlm,,1184-01-01\nNowhere\n';
    const { id } = await ada.write('cities.csv', text);
    const { summary } = await ada.call<{ summary: string }>('file_read', { file: id });
    expect(summary).toBe(
      'CSV: 3 rows, 3 columns\nrows that do not fit: 1\ncolumns: city string; people integer (2 empty); since date (1 empty)',
    );
    expect(await ada.call('file_read', { file: id, offset: 10 })).not.toHaveProperty('summary');
    const note = await ada.write('prose.txt', text);
    expect(await ada.call('file_read', { file: note.id })).not.toHaveProperty('summary');
  });

  it('says of JSON how it is built, and nothing of what only calls itself JSON', async () => {
    const rows = Array.from({ length: 40 }, (_, id) => ({ id, name: `n${id}`, tags: ['a'] }));
    const { id } = await ada.write('rows.json', JSON.stringify(rows));
    const { summary } = await ada.call<{ summary: string }>('file_read', { file: id });
    expect(summary).toMatch(/^JSON: 40 rows, 3 columns\nschema: .*id.*tags/);
    const broken = await ada.write('broken.json', '{"a":');
    expect(await ada.call('file_read', { file: broken.id })).not.toHaveProperty('summary');
  });

  it('says why a file has no text', async () => {
    const sound = `OggS${'\u0001'.repeat(40)}`;
    const { id, url } = await ada.upload('sound.ogg', sound);
    await put(url, sound);
    await allRead(ada);
    await expect(ada.call('file_read', { file: id })).rejects.toThrow(/^unsupported: Nobody here reads.*file_link/);
  });
});

it('a text that cannot be read is tried once', async () => {
  const bob = await somebody();
  const broken = `%PDF-1.4\n${'x'.repeat(500)}`;
  const { id, url } = await bob.upload('broken.pdf', broken);
  await put(url, broken);
  await allRead(bob);
  expect((await bob.rows('content_texts')).map((row) => row['state'])).toEqual(['malformed']);
  await expect(bob.call('file_read', { file: id })).rejects.toThrow(/^unsupported.*broken/);
});

it('a text whose reading took the object down twice is not read again, and holds up no other', async () => {
  const bob = await somebody();
  const { id } = await bob.write('bomb.txt', 'tick');
  await allRead(bob);
  const [read] = await bob.rows('content_texts');
  expect(read).toMatchObject({ state: 'text', attempts: 1 });
  // What is there when the platform has ended the object for the second time.
  await bob.sql("DELETE FROM content_parts; UPDATE content_texts SET state = 'pending', attempts = 2");
  await bob.write('harmless.txt', 'tock');
  await allRead(bob);
  const states = new Map((await bob.rows('content_texts')).map((row) => [row['sha256'], row['state']]));
  expect(states.get(read?.['sha256'])).toBe('too_slow');
  expect([...states.values()].map(String).toSorted()).toEqual(['text', 'too_slow']);
  // The bytes of a text file are shown as they are.
  expect(await bob.call('file_read', { file: id })).toMatchObject({ text: 'tick' });
  expect((await search(bob, 'tock')).map(({ path }) => path)).toEqual(['harmless.txt']);
});

it('search and fetch have the shape that ChatGPT wants, as text too', async () => {
  const bob = await somebody();
  const { id } = await bob.write('folder/haiku.txt', 'An old silent pond');
  await allRead(bob);
  const client = await bob.mcp();
  const url = `http://localhost:8787/files/${id}`;
  const found = await client.callTool({ name: 'search', arguments: { query: 'pond' } });
  expect(found.structuredContent).toEqual({ results: [{ id, title: 'folder/haiku.txt', url }] });
  const fetched = await client.callTool({ name: 'fetch', arguments: { id } });
  expect(fetched.structuredContent).toMatchObject({ id, title: 'folder/haiku.txt', text: 'An old silent pond', url });
  for (const { content, structuredContent } of [found, fetched])
    expect(JSON.parse((content as { text: string }[])[0]?.text ?? '')).toEqual(structuredContent);
  await expect(bob.call('fetch', { id: 'fil_00000000000000000000' })).rejects.toThrow('not_found');
});
