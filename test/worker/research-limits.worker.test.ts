import { beforeAll, describe, expect, inject, it } from 'vitest';

import { byteLength } from '../../src/lib/encoding.ts';
import { MAX_NOTE_BYTES, MAX_SOURCES } from '../../src/research/model.ts';
import { Owner } from '../support/files.ts';

const library = inject('library');

let ada: Owner;

beforeAll(async () => {
  ada = await Owner.signIn('ada@example.com');
});

async function opened(session: string): Promise<string> {
  const { session: made } = await ada.call<{ session: { slug: string } }>('research_open', { session });
  return made.slug;
}

describe('what is as large as it may be can be read', () => {
  it.each([
    ['lines', '"\n'],
    ['Chinese', '井'],
  ])('a note of %s', async (name, characters) => {
    const session = await opened(`Note of ${name}`);
    const text = characters.repeat(MAX_NOTE_BYTES / byteLength(characters));
    const tags = Array.from({ length: 20 }, (_none, index) => `${index} `.padEnd(50, '"'));
    await ada.call('note_write', { session, title: '"'.repeat(200), text, tags });
    expect(await ada.call('note_list', { session })).toMatchObject({ notes: { length: 1 } });
  });

  it('a note that grew by many changes, which does not grow beyond', async () => {
    const session = await opened('Grown');
    const { note } = await ada.call<{ note: { id: string } }>('note_write', { session, title: 'Long', text: '.' });
    const grow = async () =>
      ada.call('note_edit', { session, note: note.id, replace: { old: '.', new: `${'a'.repeat(15_000)}.` } });
    await grow();
    await expect(grow()).rejects.toThrow(/too_large/);
    expect(await ada.call('note_list', { session })).toMatchObject({ notes: [{ version: 2 }] });
  });

  it('an outline of a hundred sections, each with all that may be said of it', async () => {
    const session = await opened('Outlined');
    const sections = Array.from({ length: 100 }, (_none, index) => ({
      heading: `${index} `.padEnd(200, '"'),
      brief: 'What is to stand there.\n'.repeat(160),
    }));
    const outline = await ada.call<{ sections: { brief?: string }[] }>('report_outline', { session, sections });
    expect(outline.sections).toHaveLength(100);
    const { section } = await ada.call<{ section: { brief: string } }>('report_read', { session, section: '1' });
    expect(section.brief).toBe(sections[0]?.brief);
  });

  it('twenty sources that are added again, each with a long note', async () => {
    const session = await opened('Twenty');
    const texts = Array.from({ length: 20 }, (_none, index) => ({
      title: `Text ${index}`,
      text: `It is text ${index}.`,
    }));
    const add = async () => ada.call<{ results: { source: { key: string } }[] }>('source_add', { session, texts });
    const sources = (await add()).results.map(({ source }) => source.key);
    for (const source of sources) await ada.call('source_update', { session, source, note: '"\n'.repeat(2000) });
    expect(await add()).toMatchObject({ results: { length: 20 } });
  });

  it('a window of a source of which nothing can be seen', async () => {
    const session = await opened('Unseen');
    await ada.call('source_add', {
      session,
      texts: [{ title: 'Unseen', text: `Seen.${'\u2060\u200B'.repeat(20_000)}` }],
    });
    const read = await ada.call<{ next_offset: number; untrusted: string }>('source_read', {
      session,
      source: 'unseen',
    });
    expect(read.untrusted).toContain('⟦U+200B⟧');
    expect(read.next_offset).toBeGreaterThan(1000);
  });
});

describe('limits hold', () => {
  it('of sources, where the last one comes several times at once; and a report can rest on all', async () => {
    const session = await opened('Full');
    await ada.call('source_add', { session, urls: [`${library}/article/1`] });
    await ada.sql(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MAX_SOURCES - 2})
      INSERT INTO research_sources
        SELECT 'src_' || i, session_id, 'k-' || i, 'i' || i, url, host, title, state, rating, tags, note, tags_imported,
          note_imported, snapshot_id, added_at, read_at FROM n, research_sources WHERE key = 'writerb2001'`);
    const added = await Promise.all(
      [2, 3, 4].map(async (number) =>
        ada
          .call<{ results: { outcome: string; reason?: string }[] }>('source_add', {
            session,
            urls: [`${library}/article/${number}`],
          })
          .then(({ results }) => results[0]?.reason ?? results[0]?.outcome),
      ),
    );
    expect(added.filter((outcome) => outcome === 'added')).toHaveLength(1);
    expect(added.filter((outcome) => outcome === 'limit_exceeded')).toHaveLength(2);

    await ada.sql(
      `UPDATE research_snapshots SET parts = json_array(json_object('label', '${'x'.repeat(2000)}', 'start', 0))`,
    );
    await ada.call('report_outline', { session, sections: [{ heading: 'All' }] });
    await ada.call('report_write', {
      session,
      section: '1',
      text: 'There are many wells in the district [@writerb2001].',
    });
    expect(await ada.call('report_check', { session })).toMatchObject({ passed: true, claims: 1 });
  });
});
