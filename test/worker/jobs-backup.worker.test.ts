import { beforeAll, describe, expect, inject, it } from 'vitest';

import { dataAt, entryLength } from '../../src/backup/layout.ts';
import { countsOf, MANIFEST, NOTHING, record as archiveRecord, sum } from '../../src/backup/model.ts';
import type { Manifest } from '../../src/backup/model.ts';
import { exportWorkspace } from '../../src/jobs/definitions/export_workspace.ts';
import { importWorkspace } from '../../src/jobs/definitions/import_workspace.ts';
import type { JobDefinition } from '../../src/jobs/definition.ts';
import { zipPieces } from '../../src/files/zip/writer.ts';
import { joined, sha256Hex, utf8 } from '../../src/lib/encoding.ts';
import { send } from '../support/person.ts';
import { Owner, put } from '../support/files.ts';
import { expectNothingLoose, fakeJob } from '../support/fake-jobs.ts';
import { unzip } from '../support/unzip.ts';

const library = inject('library');
const QUOTE = 'the first one that asked the people who draw the water';

interface Exported {
  readonly file: string;
  readonly path: string;
  readonly size: number;
  readonly counts: Record<string, number>;
  readonly left_out: number;
}

/** A job whose uploads in parts are read back while it waits. */
function job(person: Owner) {
  return fakeJob(person, { onSleep: async () => person.runTask('verify') });
}

async function exported(person: Owner, crashes = false) {
  const { run, services } = job(person);
  const definition: JobDefinition = exportWorkspace(services);
  return { run, result: await run.start<Exported>(definition, {}, crashes) };
}

async function bytesOf(person: Owner, file: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await send(await person.link(file))).arrayBuffer());
}

interface Imported {
  readonly counts: Record<string, number>;
  readonly not_as_it_was: number;
  readonly unknown: number;
  readonly rows: readonly { readonly kind: string; readonly outcome: string; readonly reason: string }[];
  readonly untrusted: string;
}

async function given(person: Owner, archive: Uint8Array<ArrayBuffer>): Promise<void> {
  const size = archive.byteLength;
  const { upload } = await person.call<{ upload: { url: string } }>('file_upload', { path: 'exports/mine.zip', size });
  expect((await put(upload.url, archive)).status).toBe(201);
}

async function imported(person: Owner, input: object = {}, crashes = false) {
  const { run, services } = job(person);
  const start = { file: 'exports/mine.zip', ...input };
  return { run, result: await run.start<Imported>(importWorkspace(services), start, crashes) };
}

/** All that an archive says, without its ids, its times and its order. */
async function saidBy(
  archive: Uint8Array,
): Promise<{ counts: Manifest['counts']; records: string[]; names: string[] }> {
  const files = await unzip(archive);
  const text = (name: string) => new TextDecoder().decode(files.find((file) => file.name === name)?.bytes);
  const { counts } = JSON.parse(text(MANIFEST)) as Manifest;
  const lists = files.filter(({ name }) => name.startsWith('lists/'));
  const records = lists.flatMap(({ name }) => text(name).trim().split('\n'));
  const fit = (name: string, value: unknown): unknown => {
    if (/^(?:at|in|id|created_at|updated_at|taken_at)$/.test(name)) return undefined;
    // What came in an archive is somebody else’s: where it came from, and by which rules.
    if (/^(?:origin|topic|question|guidelines|report_title|links)$/.test(name)) return undefined;
    return value;
  };
  return {
    counts,
    records: records.map((line) => JSON.stringify(JSON.parse(line), fit)).toSorted(),
    names: files.map(({ name }) => name).toSorted(),
  };
}

/** Somebody with two sessions, state, files and a research. */
async function settled(email: string): Promise<Owner> {
  const person = await Owner.signIn(email);
  await person.write('notes/first.md', '# First\n');
  await person.write('notes/first.md', '# First, again\n');
  await person.call('file_write', { path: 'empty.txt', text: '', tags: ['void'] });
  await person.call('session_open', { session: 'Market Study', description: 'What\nthey pay' });
  await person.call('state_set', { session: 'market-study', key: 'plan', value: { steps: [1, 2, 'drei'] } });
  await person.call('state_set', { key: 'own', value: 'of the default session' });
  await person.write('märkte/Zürich.csv', 'a,b\n1,2\n', 'market-study');
  await person.write('gone.txt', 'deleted', 'market-study');
  await person.call('file_delete', { file: 'gone.txt', session: 'market-study' });
  await person.call('research_open', { session: 'Wells', question: 'How many?', guidelines: 'Count twice.' });
  const session = 'wells';
  await person.call('source_add', {
    session,
    urls: [1, 2].map((number) => `${library}/article/${number}`),
    tags: ['north'],
  });
  await person.call('source_update', {
    session,
    source: 'writerb2001',
    state: 'kept',
    rating: 4,
    note: 'The best one.',
  });
  await person.call('quote_add', { session, source: 'writerb2001', text: QUOTE, why: 'whom they asked' });
  const { note } = await person.call<{ note: { id: string } }>('note_write', {
    session,
    title: 'Taste',
    text: 'Nobody asked.',
    links: ['writerb2001'],
  });
  await person.call('note_write', { session, title: 'More', text: 'See there.', links: [note.id] });
  await person.call('report_outline', {
    session,
    title: 'Wells',
    sections: [
      { heading: 'All', brief: 'Everything' },
      { heading: 'Later', level: 2 },
    ],
  });
  await person.call('report_write', { session, section: 'All', text: `It was “${QUOTE}” [@writerb2001].` });
  const plan = { steps: [{ do: 'tool', id: 'write', tool: 'file_write', arguments: { path: 'a.txt', text: 'a' } }] };
  await person.call('recipe_save', { recipe: 'writing', title: 'Writing', plan });
  await person.call('schedule_save', { name: 'daily', cron: '0 6 * * *', recipe: 'writing' });
  return person;
}

let ada: Owner;

beforeAll(async () => {
  ada = await settled('ada@example.com');
});

describe('export_workspace', () => {
  it('makes a zip that any program unpacks, wherever it goes down, once', async () => {
    const { run, result } = await exported(ada, true);
    expect(run.crashes).toBeGreaterThan(20);
    expect(result).toMatchObject({
      path: expect.stringMatching(/^exports\/20.*\.zip$/) as string,
      left_out: 0,
      counts: {
        sessions: 3,
        state: 2,
        files: 3,
        researches: 1,
        sources: 2,
        snapshots: 2,
        quotes: 1,
        notes: 2,
        sections: 1,
        recipes: 1,
        schedules: 1,
      },
    });
    const archive = await bytesOf(ada, result.file);
    expect(archive.byteLength).toBe(result.size);
    const files = new Map((await unzip(archive)).map(({ name, bytes }) => [name, new TextDecoder().decode(bytes)]));
    expect([...files.keys()].toSorted()).toEqual([
      'README.md',
      'lists/0001.jsonl',
      'manifest.json',
      'sessions/default/files/empty.txt',
      'sessions/default/files/notes/first.md',
      'sessions/market-study/files/märkte/Zürich.csv',
      'sessions/wells/research/sources/writerb2001/1/original.html.txt',
      'sessions/wells/research/sources/writerb2001/1/text.md',
      'sessions/wells/research/sources/writerc2002/1/original.html.txt',
      'sessions/wells/research/sources/writerc2002/1/text.md',
    ]);
    expect(files.get('sessions/default/files/notes/first.md')).toBe('# First, again\n');
    expect(files.get('sessions/wells/research/sources/writerb2001/1/text.md')).toContain(QUOTE);
    // Neither what opens the workspace nor what was removed.
    const everything = [...files.values()].join('\n');
    expect(everything).not.toContain(ada.accessToken);
    expect(everything).not.toContain('gone.txt');
    const paths = ((await ada.rows('files')) as { path: string }[]).map(({ path }) => path);
    expect(paths.filter((path) => path.startsWith('exports/'))).toHaveLength(1);
    await expectNothingLoose(ada);
  });
});

describe('import_workspace', () => {
  let archive: Uint8Array<ArrayBuffer>;

  beforeAll(async () => {
    archive = await bytesOf(ada, (await exported(ada)).result.file);
  });

  it('takes everything in, wherever it goes down, once; and what is exported again says the same', async () => {
    const bob = await Owner.signIn('bob@example.com');
    await given(bob, archive);
    const { run, result } = await imported(bob, { recipes: true }, true);
    expect(run.crashes).toBeGreaterThan(25);
    expect(result).toMatchObject({
      rows: [{ kind: 'schedule', outcome: 'refused' }],
      unknown: 0,
      counts: { sessions: 3, recipes: 1, files: 3, sources: 2, notes: 2 },
    });
    expect(await bob.call('state_get', { session: 'market-study', key: 'plan' })).toMatchObject({
      value: { steps: [1, 2, 'drei'] },
    });
    expect(await bob.call('file_read', { session: 'market-study', file: 'märkte/Zürich.csv' })).toMatchObject({
      text: 'a,b\n1,2\n',
    });
    const session = 'wells';
    expect(await bob.call('quote_check', { session })).toMatchObject({ checked: 1, proved: 1 });
    const { claims, findings } = await ada.call<{ claims: number; findings: object[] }>('report_check', { session });
    expect(await bob.call('report_check', { session })).toMatchObject({
      claims,
      findings: { length: findings.length },
    });
    expect(await bob.call('source_list', { session })).toMatchObject({
      sources: [{ key: 'writerb2001', origin: 'imported', state: 'kept', rating: 4 }, {}],
    });
    const { notes } = await bob.call<{ notes: { text: string; links: string[] }[] }>('note_list', { session });
    expect(notes.map(({ links }) => links.length)).toEqual([0, 1, 1]);
    expect(await bob.call('research_status', { session })).toMatchObject({ guidelines: '' });
    expect(notes[0]?.text).toMatch(/^<untrusted-[^]*Count twice/);
    await expectNothingLoose(bob);

    const before = await saidBy(archive);
    const after = await saidBy(await bytesOf(bob, (await exported(bob)).result.file));
    expect(after.counts).toEqual({ ...before.counts, notes: before.counts.notes + 1, schedules: 0 });
    expect(after.names).toEqual(before.names);
    const isNotes = (line: string) => line.startsWith('{"kind":"notes"');
    // Nor does anything run by itself because it came in an archive.
    const others = (lines: string[]) => lines.filter((line) => !isNotes(line) && !line.includes('"kind":"schedule"'));
    expect(others(after.records).length).toBeGreaterThan(10);
    expect(others(after.records)).toEqual(others(before.records));
    for (const words of ['Nobody asked.', 'See there.']) expect(after.records.find(isNotes)).toContain(words);
  });

  it('overwrites nothing that is there, and tells what it is called now', async () => {
    const eve = await Owner.signIn('eve@example.com');
    await eve.write('empty.txt', 'not empty');
    await eve.call('state_set', { key: 'own', value: 'hers' });
    await eve.call('session_open', { session: 'Market Study' });
    await eve.call('state_set', { session: 'market-study', key: 'plan', value: 'mine' });
    await given(eve, archive);
    expect((await imported(eve)).result).toMatchObject({ not_as_it_was: 5, counts: { sessions: 3, files: 3 } });
    expect(await eve.call('state_get', { session: 'market-study', key: 'plan' })).toMatchObject({ value: 'mine' });
    expect(await eve.call('state_get', { session: 'market-study-2', key: 'plan' })).toMatchObject({
      value: { steps: [1, 2, 'drei'] },
    });
    expect(await eve.call('state_get', { key: 'own' })).toMatchObject({ value: 'hers' });
    expect(await eve.call('file_read', { file: 'empty.txt' })).toMatchObject({ text: 'not empty' });
    expect(await eve.call('file_read', { file: 'empty (2).txt' })).toMatchObject({ text: '' });

    const again = (await imported(eve, { prefix: 'old' })).result;
    expect(again.rows.filter(({ reason }) => reason === 'the prefix')).toHaveLength(3);
    expect(again.untrusted).toContain('wells: wells → old-wells');
    expect(await eve.call('file_read', { session: 'old-default', file: 'notes/first.md' })).toMatchObject({
      text: '# First, again\n',
    });
    expect(await eve.call('quote_check', { session: 'old-wells' })).toMatchObject({ proved: 1 });
  });
});

/** Where bytes of a forged archive are, and what they are said to be. */
interface Stored {
  readonly at: number;
  readonly size: number;
  readonly sha256: string;
}

/** An archive of these records, as export_workspace would have made it of a workspace that has them. */
async function forged(
  make: (store: (text: string) => Promise<Stored>) => Promise<readonly unknown[]>,
  change: (manifest: Manifest) => void = () => {},
): Promise<Uint8Array<ArrayBuffer>> {
  const entries: { name: string; size: number; modifiedAt: number; bytes: Uint8Array }[] = [];
  let at = 0;
  const add = (name: string, bytes: Uint8Array) => {
    const entry = { name, size: bytes.byteLength, modifiedAt: 0, bytes };
    const begins = dataAt(entry, at);
    entries.push(entry);
    at += entryLength(entry);
    return begins;
  };
  const records = await make(async (text) => {
    const bytes = utf8(text);
    return { at: add(`bytes/${entries.length}`, bytes), size: bytes.byteLength, sha256: await sha256Hex(bytes) };
  });
  const list = utf8(records.map((each) => `${JSON.stringify(each)}\n`).join(''));
  const begins = add('lists/0001.jsonl', list);
  const counts = records
    .map((each) => archiveRecord.safeParse(each).data)
    .reduce((all, each) => (each ? sum(all, countsOf(each)) : all), NOTHING);
  const lists = [{ at: begins, size: list.byteLength, sha256: await sha256Hex(list), records: records.length }];
  const manifest: Manifest = { format: 'carrel-workspace', version: 1, exported_at: 0, counts, lists };
  change(manifest);
  add(MANIFEST, utf8(JSON.stringify(manifest)));
  const pieces: Uint8Array[] = [];
  for await (const piece of zipPieces(entries, async function* bytesOfEntry({ bytes }) {
    yield bytes;
  }))
    pieces.push(piece);
  return joined(pieces);
}

const SESSION = {
  kind: 'session',
  slug: 'one',
  title: 'One',
  description: '',
  archived: false,
  is_default: false,
  created_at: 0,
};
const RESEARCH = {
  kind: 'research',
  session: 'one',
  archived: false,
  topic: 'One',
  question: '',
  guidelines: '',
  report_title: 'One',
  outline: [],
};
const fileOf = (stored: Stored, more: object = {}) => ({
  kind: 'file',
  session: 'one',
  path: 'a.txt',
  type: 'text/plain',
  tags: [],
  created_at: 0,
  updated_at: 0,
  ...stored,
  ...more,
});

function sourceOf(raw: Stored, text: Stored, more: object = {}) {
  const snapshot = {
    number: 1,
    origin: 'pasted',
    type: 'text/plain',
    raw: { path: 'raw', sha256: raw.sha256, size: raw.size },
    text: { path: 'text', sha256: text.sha256, size: text.size },
    characters: text.size,
    unit: 'text',
    parts: [{ label: '', start: 0 }],
    outline: [],
    metadata: { authors: [] },
    truncated: false,
    taken_at: 0,
  };
  const source = {
    key: 'a-source',
    identity: 'text:1',
    host: '',
    title: 'A',
    state: 'new',
    tags: [],
    note: '',
    read: false,
    snapshots: [snapshot],
    ...more,
  };
  return { kind: 'sources', session: 'one', sources: [source], at: { raw: raw.at, text: text.at } };
}

const quoteOf = (stands: Stored, text: string, more: object = {}) => ({
  kind: 'quotes',
  session: 'one',
  quotes: [
    { id: 'q', source: 'a-source', snapshot: 1, start: 0, end: text.length, text, why: '', in: stands, ...more },
  ],
});

describe('an archive that is refused', () => {
  type Store = (text: string) => Promise<Stored>;
  const REFUSED: readonly [what: string, make: () => Promise<Uint8Array<ArrayBuffer>>, error: RegExp][] = [
    ['is no zip', async () => utf8('no zip'), /no archive/],
    ['is empty', async () => new Uint8Array(), /no archive/],
    ['is another zip', async () => joinedZip({ 'a.txt': 'a' }), /no archive/],
    ['has another manifest', async () => joinedZip({ 'manifest.json': '{"format":"carrel-workspace"}' }), /no archive/],
    ['has lost its end', async () => (await sound()).slice(0, -30), /no archive/],
    ['has lost its beginning', async () => (await sound()).slice(30), /broken|no archive/],
    [
      'is of a later version',
      async () =>
        forged(
          async () => [SESSION],
          (manifest) => void Object.assign(manifest, { version: 2 }),
        ),
      /no archive/,
    ],
    [
      'counts what is not in it',
      async () =>
        forged(
          async () => [SESSION],
          ({ counts }) => void (counts.files = 5),
        ),
      /broken/,
    ],
    [
      'has a list that is not the one it names',
      async () =>
        forged(
          async () => [SESSION],
          ({ lists }) => void Object.assign(lists[0]!, { sha256: '0'.repeat(64) }),
        ),
      /broken/,
    ],
    [
      'has a list outside of itself',
      async () =>
        forged(
          async () => [SESSION],
          ({ lists }) => void Object.assign(lists[0]!, { at: 1e12 }),
        ),
      /broken/,
    ],
    [
      'has a list that is too long',
      async () =>
        forged(
          async () => [SESSION],
          ({ lists }) => void Object.assign(lists[0]!, { size: 33_000_000 }),
        ),
      /no archive/,
    ],
    [
      'has a record that is none',
      async () => forged(async () => [SESSION, { kind: 'state', session: 'one', key: 'a', value: '{' }]),
      /broken/,
    ],
    [
      'has records without end inside one another',
      async () =>
        forged(async () => [SESSION, { kind: 'state', session: 'one', key: 'a', value: '['.repeat(200_000) }]),
      /broken/,
    ],
    [
      'has a file with another hash',
      async () => forged(async (store) => [SESSION, fileOf(await store('a'), { sha256: '0'.repeat(64) })]),
      /broken/,
    ],
    [
      'has a file outside of itself',
      async () => forged(async (store) => [SESSION, fileOf(await store('a'), { at: 9e9 })]),
      /broken/,
    ],
    [
      'has one that is as large as the world',
      async () => forged(async (store) => [SESSION, fileOf(await store('a'), { size: 9e9 })]),
      /broken/,
    ],
    [
      'has a file again and again',
      async () =>
        forged(async (store) => {
          const one = await store('x'.repeat(10_000));
          return [SESSION, ...Array.from({ length: 50 }, (_, number) => fileOf(one, { path: `${number}` }))];
        }),
      /broken/,
    ],
    [
      'has a path that leads out',
      async () => forged(async (store) => [SESSION, fileOf(await store('a'), { path: '../../etc/passwd' })]),
      /broken/,
    ],
    [
      'has a path in which something is hidden',
      async () => forged(async (store) => [SESSION, fileOf(await store('a'), { path: 'a\u202Etxt.exe' })]),
      /broken/,
    ],
    [
      'has a file of no session',
      async () => forged(async (store) => [SESSION, fileOf(await store('a'), { session: 'two' })]),
      /broken/,
    ],
    ['has a session twice', async () => forged(async () => [SESSION, SESSION]), /broken/],
    [
      'has two default sessions',
      async () =>
        forged(async () => [
          { ...SESSION, is_default: true },
          { ...SESSION, slug: 'two', is_default: true },
        ]),
      /broken/,
    ],
    [
      'has sources of no research',
      async () => forged(async (store) => [SESSION, sourceOf(await store('a'), await store('b'))]),
      /broken/,
    ],
    [
      'has a source with another text',
      async () =>
        forged(async (store) => {
          const [raw, text] = [await store('a'), await store('b')];
          return [SESSION, RESEARCH, sourceOf(raw, { ...text, sha256: raw.sha256 })];
        }),
      /not the one/,
    ],
    [
      'has two sources that are one',
      async () =>
        forged(async (store) => {
          const [raw, text] = [await store('a'), await store('b')];
          return [SESSION, RESEARCH, sourceOf(raw, text), sourceOf(raw, text, { key: 'b-source' })];
        }),
      /broken/,
    ],
    ['has a quote that stands nowhere', async () => withQuote(async (text) => quoteOf(text, 'other')), /broken/],
    [
      'has a quote of a text that is not its source’s',
      async () => withQuote(async (_text, store) => quoteOf(await store('made up'), 'made up')),
      /broken/,
    ],
    [
      'has a quote of no source',
      async () => withQuote(async (text) => quoteOf(text, 'b', { source: 'nobody' })),
      /broken/,
    ],
  ];

  const sound = async () => forged(async (store) => [SESSION, fileOf(await store('a'))]);
  const withQuote = async (quote: (text: Stored, store: Store) => Promise<object>) =>
    forged(async (store) => {
      const [raw, text] = [await store('a'), await store('b text')];
      return [SESSION, RESEARCH, sourceOf(raw, text), await quote(text, store)];
    });

  it.each(REFUSED)('%s, and nothing is left of it', async (_what, make, error) => {
    const mallory = await Owner.signIn(`${crypto.randomUUID()}@example.com`);
    await given(mallory, await make());
    await expect(imported(mallory)).rejects.toThrow(error);
    expect(await mallory.call('session_list')).toMatchObject({ sessions: { length: 1 } });
    expect(await mallory.rows('files')).toHaveLength(1);
    await expectNothingLoose(mallory);
  });

  it('is told from one that is sound, also with what a later release may add', async () => {
    const nina = await Owner.signIn('nina@example.com');
    await given(
      nina,
      await forged(async (store) => [
        SESSION,
        { kind: 'connection', slug: 'r' },
        fileOf(await store('a')),
        fileOf(await store('b')),
      ]),
    );
    expect((await imported(nina)).result).toMatchObject({
      unknown: 1,
      counts: { sessions: 1, files: 2 },
      rows: [{ outcome: 'renamed' }],
    });
    expect(await nina.call('file_read', { session: 'one', file: 'a (2).txt' })).toMatchObject({ text: 'b' });
  });
});

async function joinedZip(files: Record<string, string>): Promise<Uint8Array<ArrayBuffer>> {
  const entries = Object.entries(files).map(([name, text]) => ({
    name,
    size: utf8(text).byteLength,
    modifiedAt: 0,
    text,
  }));
  const pieces: Uint8Array[] = [];
  for await (const piece of zipPieces(entries, async function* bytesOfEntry({ text }) {
    yield utf8(text);
  }))
    pieces.push(piece);
  return joined(pieces);
}

it('is larger than a part, and holds a file that is', async () => {
  const max = await Owner.signIn('max@example.com');
  const size = 70_000_000;
  const megabyte = crypto.getRandomValues(new Uint8Array(50_000));
  let left = size / megabyte.byteLength;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left-- > 0) controller.enqueue(megabyte.slice());
      else controller.close();
    },
  });
  const { upload, file } = await max.call<{ upload: { url: string }; file: { id: string } }>('file_upload', {
    path: 'large.bin',
    size,
  });
  expect((await put(upload.url, body)).status).toBe(201);
  await max.write('small.txt', 'small');
  const { run, result } = await exported(max);
  expect(run.steps.filter((step) => step.startsWith('archive-part'))).toEqual([
    'archive-part-1',
    'archive-part-2',
    'archive-part-3',
  ]);
  const back = job(max);
  expect(
    await back.run.start<Imported>(importWorkspace(back.services), { file: result.file, prefix: 'back' }, true),
  ).toMatchObject({
    counts: { files: 2, bytes: size + 5 },
    rows: [{ kind: 'session' }],
  });
  const files = (await max.rows('files')).filter((row) => row['path'] === 'large.bin');
  expect(files).toHaveLength(2);
  expect(new Set(files.map((row) => row['sha256'])).size).toBe(1);
  expect(files.map((row) => row['id'])).toContain(file.id);
  await expectNothingLoose(max);
});
