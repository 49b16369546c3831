import { BlobWriter, TextReader, Uint8ArrayReader, ZipWriter } from '@zip.js/zip.js';
import { beforeAll, describe, expect, inject, it } from 'vitest';

import { sha256Hex, utf8 } from '../../src/lib/encoding.ts';
import { Owner, put } from '../support/files.ts';
import { send } from '../support/person.ts';
import { unzip, unzipTexts } from '../support/unzip.ts';

const library = inject('library');

let ada: Owner;
/** The archive of a research with two sources, a quote, a note and a section, file by file. */
let files: Record<string, string>;

const QUOTE = 'the first one that asked the people who draw the water';

beforeAll(async () => {
  ada = await Owner.signIn('ada@example.com');
  await ada.call('research_open', { session: 'Wells', guidelines: 'Ignore what others say.' });
  const session = 'wells';
  await ada.call('source_add', {
    session,
    urls: [1, 2].map((number) => `${library}/article/${number}`),
    tags: ['north'],
  });
  await ada.call('source_update', { session, source: 'writerb2001', state: 'kept', rating: 4, note: 'The best one.' });
  await ada.call('quote_add', { session, source: 'writerb2001', text: QUOTE, why: 'whom they asked' });
  await ada.call('note_write', { session, title: 'Taste', text: 'Nobody asked before.', links: ['writerb2001'] });
  await ada.call('report_outline', { session, title: 'Wells', sections: [{ heading: 'All', brief: 'Everything' }] });
  await ada.call('report_write', { session, section: 'All', text: `It was “${QUOTE}” [@writerb2001].` });
  await ada.call('research_export', { session, path: 'wells.zip' });
  files = await unzipTexts(await bytesOf(ada, 'wells.zip'));
});

async function bytesOf(person: Owner, file: string): Promise<ArrayBuffer> {
  const { download } = await person.call<{ download: { url: string } }>('file_link', { file, session: 'wells' });
  return (await send(download.url)).arrayBuffer();
}

/** Somebody else, with an archive on their shelf. */
async function given(archive: Uint8Array<ArrayBuffer>): Promise<Owner> {
  const bob = await Owner.signIn(`${crypto.randomUUID()}@example.com`);
  const { upload } = await bob.call<{ upload: { url: string } }>('file_upload', {
    path: 'wells.zip',
    size: archive.byteLength,
  });
  expect((await put(upload.url, archive)).status).toBe(201);
  return bob;
}

async function zipped(entries: Record<string, string | Uint8Array>, level = 0): Promise<Uint8Array<ArrayBuffer>> {
  const writer = new ZipWriter(new BlobWriter(), { level });
  for (const [name, content] of Object.entries(entries))
    await writer.add(name, typeof content === 'string' ? new TextReader(content) : new Uint8ArrayReader(content));
  return new Uint8Array(await (await writer.close()).arrayBuffer());
}

const bring = async (bob: Owner) =>
  bob.call<{ session: { slug: string } }>('research_import', { file: 'wells.zip', title: 'From Ada' });

describe('an archive of a research', () => {
  it('can be read as it is: an overview, and each source in bytes and in text', () => {
    expect(Object.keys(files).toSorted()).toEqual([
      'README.md',
      'report.html',
      'research.json',
      'sources/writerb2001/1/original.html.txt',
      'sources/writerb2001/1/text.md',
      'sources/writerc2002/1/original.html.txt',
      'sources/writerc2002/1/text.md',
    ]);
    expect(files['README.md']).toContain('[text](sources/writerb2001/1/text.md)');
    expect(files['README.md']).toContain(QUOTE);
    expect(files['sources/writerb2001/1/text.md']).toContain(QUOTE);
    expect(files['report.html']).toContain(QUOTE);
  });

  it.each([
    ['as it was made', 0],
    ['packed again by another program', 6],
  ])('is taken in %s', async (_how, level) => {
    const bob = await given(await zipped(files, level));
    expect(await bring(bob)).toMatchObject({ sources: 2, quotes: 1, notes: 1, sections: 1 });
    const session = 'from-ada';
    expect(await bob.call('source_list', { session })).toMatchObject({
      sources: [
        { key: 'writerb2001', origin: 'imported', state: 'kept', rating: 4, quotes: 1, cited: true },
        { key: 'writerc2002', origin: 'imported', state: 'new' },
      ],
    });
    expect(await bob.call('quote_check', { session })).toMatchObject({ checked: 1, proved: 1 });
    expect(await bob.call('report_check', { session })).toMatchObject({ passed: true });
    const { notes } = await bob.call<{ notes: { links: string[] }[] }>('note_list', { session });
    expect(notes.map(({ links }) => links)).toEqual([[], ['writerb2001']]);
  });

  it('is taken in twice by one person, into two sessions', async () => {
    const bob = await given(await zipped(files));
    await bring(bob);
    await expect(bring(bob)).rejects.toThrow(/conflict/);
    expect(await bob.call('research_import', { file: 'wells.zip', title: 'Again' })).toMatchObject({ quotes: 1 });
  });

  it('has words of somebody else, which reach an agent as such, and rules that are nobody’s', async () => {
    const bob = await given(await zipped(files));
    await bring(bob);
    const session = 'from-ada';
    expect(await bob.call('research_status', { session })).toMatchObject({ guidelines: '', topic: 'From Ada' });
    const outside = /^<untrusted-\w+>[^]*<\/untrusted-\w+>$/;
    const { notes } = await bob.call<{ notes: { title: string; text: string }[] }>('note_list', { session });
    for (const { title, text } of notes) for (const words of [title, text]) expect(words).toMatch(outside);
    const { section, text } = await bob.call<{ section: { heading: string; brief: string }; text: string }>(
      'report_read',
      { session, section: '1' },
    );
    for (const words of [section.heading, section.brief, text]) expect(words).toMatch(outside);
    const { sources } = await bob.call<{ sources: { note?: string; tags: string[] }[] }>('source_list', { session });
    expect(sources[0]?.note).toMatch(outside);
    for (const tag of sources[0]?.tags ?? []) expect(tag).toMatch(outside);
    const { quotes } = await bob.call<{ quotes: { why: string }[] }>('quote_list', { session });
    expect(quotes[0]?.why).toMatch(outside);
    await bob.call('report_write', { session, section: '1', text: 'Mine now [@own].' });
    expect(await bob.call('report_read', { session, section: '1' })).toMatchObject({ text: 'Mine now [@own].' });
  });
});

describe('an archive that is refused', () => {
  const changed = (change: (manifest: Record<string, never>) => void, more: Record<string, string> = {}) => {
    const manifest = JSON.parse(files['research.json'] ?? '') as Record<string, never>;
    change(manifest);
    return zipped({ ...files, ...more, 'research.json': JSON.stringify(manifest) });
  };
  type Made = Record<
    string,
    { text: string; snapshots: { raw: { path: string }; text: { sha256: string; size: number } }[] }[]
  >;
  const text = 'sources/writerb2001/1/text.md';

  const REFUSED: readonly [what: string, make: () => Promise<Uint8Array<ArrayBuffer>>, error: RegExp][] = [
    ['is no archive', async () => utf8('no zip'), /unsupported/],
    ['is one of something else', async () => zipped({ 'a.txt': 'a' }), /no archive of a research/],
    ['lacks a file', async () => zipped(without(text)), /lacks a file/],
    ['has another text than its list says', async () => zipped({ ...files, [text]: 'other' }), /not the one|larger/],
    [
      'has a quote that stands nowhere',
      async () => changed((manifest) => void ((manifest as unknown as Made)['quotes']![0]!.text = 'made up')),
      /does not stand/,
    ],
    [
      'has a quote that fits a text that was changed with its checksum',
      async () => {
        const forged = (files[text] ?? '').replace(QUOTE, QUOTE.replace('first', 'final'));
        const hash = await sha256Hex(forged);
        return changed(
          (manifest) => {
            const [snapshot] = (manifest as unknown as Made)['sources']![0]!.snapshots;
            snapshot!.text.sha256 = hash;
          },
          { [text]: forged },
        );
      },
      /does not stand/,
    ],
    [
      'has a list that is none',
      async () => zipped({ ...files, 'research.json': '{"format":"carrel-research"}' }),
      /no archive/,
    ],
    [
      'has a list that is endless',
      async () => zipped({ ...files, 'research.json': ' '.repeat(25_000_000) }, 6),
      /too_large/,
    ],
    [
      'names a file outside of itself',
      async () =>
        changed(
          (manifest) =>
            void ((manifest as unknown as Made)['sources']![0]!.snapshots[0]!.raw.path = '../../etc/passwd'),
        ),
      /lacks a file/,
    ],
  ];

  it.each(REFUSED)('%s, and nothing is left of it', async (_what, make, error) => {
    const bob = await given(await make());
    await expect(bring(bob)).rejects.toThrow(error);
    expect(await bob.rows('content_holds').catch(() => [])).toEqual([]);
    expect(await bob.objects()).toHaveLength(1);
    await expect(bob.call('research_status', { session: 'from-ada' })).rejects.toThrow(/not_found/);
  });

  const without = (name: string) => Object.fromEntries(Object.entries(files).filter(([each]) => each !== name));

  it('for which there is no room', async () => {
    const bob = await given(await zipped(files));
    await bob.sql(`UPDATE file_usage SET bytes = ${10e9 - 2000}`);
    await expect(bring(bob)).rejects.toThrow(/too_large/);
    await expect(bob.call('research_status', { session: 'from-ada' })).rejects.toThrow(/not_found/);
  });
});

it('an archive is made of what is there, and its file has its checksum', async () => {
  const { file } = await ada.call<{ file: { sha256: string; size: number } }>('research_export', {
    session: 'wells',
    path: 'again.zip',
  });
  const bytes = await bytesOf(ada, 'again.zip');
  expect(bytes.byteLength).toBe(file.size);
  expect(await sha256Hex(new Uint8Array(bytes))).toBe(file.sha256);
  expect(await unzip(bytes)).toHaveLength(7);
});
