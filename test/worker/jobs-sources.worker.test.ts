import { beforeAll, describe, expect, inject, it } from 'vitest';

import { importSources } from '../../src/jobs/definitions/import_sources.ts';
import { watchSource } from '../../src/jobs/definitions/watch_source.ts';
import type { FakeJobOptions } from '../support/fake-job-run.ts';
import { Owner } from '../support/files.ts';
import { expectNothingLoose, fakeJob } from '../support/fake-jobs.ts';

const library = inject('library');

interface Imported {
  readonly counts: Record<string, number>;
  readonly rows: readonly { number: number; outcome: string; key?: string; reason?: string }[];
  readonly table?: { id: string; path: string };
  readonly untrusted: string;
}

let ada: Owner;

beforeAll(async () => {
  ada = await Owner.signIn('ada@example.com');
});

function job(person: Owner, more: Partial<FakeJobOptions> = {}) {
  const { run, services } = fakeJob(person, more);
  return { run, importSources: importSources(services), watchSource: watchSource(services) };
}

async function opened(person: Owner, session: string): Promise<string> {
  const made = await person.call<{ session: { slug: string } }>('research_open', { session });
  return made.session.slug;
}

const article = (number: number) => `${library}/article/${number}`;

describe('import_sources', () => {
  it('takes in a list of addresses, each once, and says of each what became of it', async () => {
    const session = await opened(ada, 'Listed');
    const { run, importSources: definition } = job(ada);
    const result = await run.start<Imported>(definition, {
      session,
      addresses: [article(1), `${article(1)}?utm_source=mail`, `${library}/nothing`, 'no address', article(2)],
      tags: ['wells'],
    });
    expect(result.counts).toEqual({ added: 2, changed: 0, unchanged: 0, refused: 2, left_out: 1 });
    expect(result.rows).toMatchObject([
      { number: 2, outcome: 'refused', reason: 'not_there' },
      { number: 3, outcome: 'refused', reason: 'not_a_url' },
      { number: 1, outcome: 'added', key: 'writerb2001' },
      { number: 4, outcome: 'added', key: 'writerc2002' },
    ]);
    expect(result.untrusted).toMatch(/<untrusted-\w+>\n2: http[^]*3: no address/);
    expect(await ada.call('source_list', { session, tag: 'wells' })).toMatchObject({ sources: { length: 2 } });
  });

  it('writes each source once, wherever it goes down', async () => {
    const bob = await Owner.signIn('bob@example.com');
    const session = await opened(bob, 'Crashes');
    await bob.write('list.csv', `name,where\nfirst,${article(3)}\nsecond,"${article(4)}"\nthird,=1+1\n`);
    const { run, importSources: definition } = job(bob);
    const input = {
      session,
      file: (await bob.call<{ file: { id: string } }>('file_read', { file: 'list.csv' })).file.id,
      table: 'all.csv',
    };
    const result = await run.start<Imported>(definition, input, true);
    expect(run.crashes).toBeGreaterThan(15);
    expect(result.counts).toMatchObject({ added: 2, refused: 1 });
    expect(await bob.rows('research_sources')).toHaveLength(2);
    expect(await bob.rows('research_snapshots')).toHaveLength(2);
    expect((await bob.rows('files')).map((row) => [row['path'], row['version']])).toEqual(
      expect.arrayContaining([
        ['list.csv', 1],
        ['all.csv', 1],
      ]),
    );
    await expectNothingLoose(bob);
    const { text } = await bob.call<{ text: string }>('file_read', { file: result.table!.id });
    expect(text).toContain(`1,${article(3)},added,writerd2003,src_`);
    // No formula for whoever opens it in a spreadsheet.
    expect(text).toContain(`3,'=1+1,refused,,,not_a_url`);
  });

  it.each([
    ['one that is in no research', { session: 'default', addresses: ['https://example.org'] }, /no research/],
    ['an unknown file', { file: 'nowhere.txt' }, /no such file/],
    ['a list of nothing', { file: 'empty.txt' }, /no address in this file/],
    ['a column that is not there', { file: 'table.csv', column: 'url' }, /no such column/],
    ['a file that is no text', { file: 'image.png' }, /no text/],
    ['two lists', { addresses: ['https://example.org'], sitemap: 'https://example.org/s.xml' }, /one of/],
    ['no list', {}, /one of/],
    ['a sitemap at no address', { sitemap: 'sitemap.xml' }, /no URL/],
    ['too many addresses', { addresses: Array.from({ length: 1001 }, (_, n) => `https://example.org/${n}`) }, /1000/],
  ])('refuses %s before there is a job', async (_what, input, error) => {
    const session = await opened(ada, 'Refused');
    await ada.write('empty.txt', '\n\n# nothing\n', session);
    await ada.write('table.csv', 'a,b\n1,2\n', session);
    await ada.call('file_write', { session, path: 'image.png', base64: 'iVBORw0KGgo=' });
    const { run, importSources: definition } = job(ada);
    await expect(run.start(definition, { session, ...input })).rejects.toThrow(error);
    expect(run.steps).toEqual([]);
  });

  it('needs the permission for files for what it does with them', async () => {
    const session = await opened(ada, 'Scopes');
    const { run, importSources: definition } = job(ada, { scopes: ['research:write'] });
    const many = Array.from({ length: 51 }, (_, number) => article(number));
    await expect(run.start(definition, { session, addresses: many })).rejects.toThrow(/files:write/);
    await expect(run.start(definition, { session, file: 'x' })).rejects.toThrow(/files:read files:write/);
  });

  it('reads a sitemap, an index of them, and one that is packed', async () => {
    const session = await opened(ada, 'Mapped');
    const { run, importSources: definition } = job(ada);
    const result = await run.start<Imported>(definition, { session, sitemap: `${library}/sitemap/index`, limit: 4 });
    expect(result.counts).toMatchObject({ added: 4, refused: 1 });
    expect(run.steps.filter((step) => step.startsWith('sitemap'))).toEqual([
      'sitemap-1-0',
      'sitemap-2-0',
      'sitemap-3-0',
      'sitemap-4-0',
    ]);
  });

  it('fails where the address gives no sitemap', async () => {
    const session = await opened(ada, 'Unmapped');
    const { run, importSources: definition } = job(ada);
    await expect(run.start(definition, { session, sitemap: article(1) })).rejects.toThrow(/no sitemap/);
  });
});

interface Watched {
  readonly counts: Record<string, number>;
  readonly rows: readonly { source: string; outcome: string; added?: number }[];
  readonly notes: readonly string[];
  readonly untrusted: string;
}

describe('watch_source', () => {
  it('tells what changed and what is gone, once, whatever goes down meanwhile', async () => {
    const eve = await Owner.signIn('eve@example.com');
    const session = await opened(eve, 'Watched');
    await eve.call('source_add', {
      session,
      urls: [article(7), article(8), `${library}/fleeting/9`],
      texts: [{ title: 'Pasted', text: 'A text.' }],
    });
    const watch = async (crashes = false) => {
      const { run, watchSource: definition } = job(eve);
      return { result: await run.start<Watched>(definition, { session }, crashes), run };
    };
    expect((await watch()).result.counts).toEqual({ changed: 0, unchanged: 3, gone: 0, failed: 0, left_out: 0 });
    await fetch(`${library}/edition?of=7&is=2`);
    await fetch(`${library}/vanish/9`);
    const { result, run } = await watch(true);
    await fetch(`${library}/edition?of=7&is=1`);
    expect(run.crashes).toBeGreaterThan(8);
    expect(result.counts).toEqual({ changed: 1, unchanged: 1, gone: 1, failed: 0, left_out: 0 });
    expect(result.rows).toMatchObject([
      { source: 'writerh2007', outcome: 'changed', added: 1 },
      { outcome: 'gone' },
      {},
    ]);
    expect(result.untrusted).toContain('writerh2007 + The council has decided, in edition 2');
    expect(await eve.rows('research_snapshots')).toHaveLength(5);

    const { notes } = await eve.call<{ notes: { id: string; text: string; links: string[] }[] }>('note_list', {
      session,
    });
    expect(notes.map(({ id }) => id)).toEqual(result.notes);
    // Passages of a page are nobody's word here.
    expect(notes[0]).toMatchObject({
      text: expect.stringMatching(/^<untrusted-[^]*edition 2/) as string,
      links: ['writerh2007'],
    });
    await expectNothingLoose(eve);

    await fetch(`${library}/edition?of=7&is=2`);
    const again = await watch();
    await fetch(`${library}/edition?of=7&is=1`);
    expect(again.result).toMatchObject({ counts: { changed: 0, unchanged: 2, gone: 1 }, notes: [] });
  });

  it('refuses sources that are not there, and a research without any', async () => {
    const session = await opened(ada, 'Empty');
    const { run, watchSource: definition } = job(ada);
    await expect(run.start(definition, { session, sources: ['nobody1999'] })).rejects.toThrow(/no such source/);
    await expect(run.start(definition, { session })).rejects.toThrow(/no source to look at/);
  });
});
