import { beforeAll, describe, expect, inject, it } from 'vitest';

import { Owner, put } from '../support/files.ts';

const library = inject('library');

let ada: Owner;

beforeAll(async () => {
  ada = await Owner.signIn('ada@example.com');
});

/** A research with sources, whose keys are given. */
async function gathered(session: string, ...numbers: number[]): Promise<{ session: string; keys: string[] }> {
  const opened = await ada.call<{ session: { slug: string } }>('research_open', { session });
  const { results } = await ada.call<{ results: { source: { key: string } }[] }>('source_add', {
    session: opened.session.slug,
    urls: numbers.map((number) => `${library}/article/${number}`),
  });
  return { session: opened.session.slug, keys: results.map(({ source }) => source.key) };
}

describe('a research', () => {
  it('is begun once and joined afterwards, by the same guidelines', async () => {
    const rules = { question: 'Who drinks from them?', guidelines: 'Surveys only.' };
    expect(await ada.call('research_open', { session: 'Wells', ...rules })).toMatchObject({
      created: true,
      topic: 'Wells',
      next: ['Add sources with `source_add`: addresses, files or text.'],
    });
    const another = await Owner.signIn('ada@example.com');
    expect(await another.call('research_open', { session: 'wells' })).toMatchObject({ created: false, ...rules });
    const client = await another.mcp('?toolsets=research');
    const { contents } = await client.readResource({ uri: 'carrel://research/wells' });
    expect(contents).toMatchObject([
      { mimeType: 'text/markdown', text: expect.stringContaining('Surveys only.') as string },
    ]);
    const { messages } = await client.getPrompt({ name: 'continue_research', arguments: { session: 'wells' } });
    expect(JSON.stringify(messages)).toContain('Surveys only.');
  });

  it('has guidelines in files too', async () => {
    await ada.call('session_open', { session: 'Ruled' });
    await ada.write('rules.md', 'Count only wells with water.', 'ruled');
    await ada.call('research_open', { session: 'ruled', guideline_files: ['rules.md'] });
    const { contents } = await (await ada.mcp('?toolsets=research')).readResource({ uri: 'carrel://research/ruled' });
    expect(JSON.stringify(contents)).toContain('Count only wells with water.');
    await expect(ada.call('research_open', { session: 'ruled', guideline_files: ['none.md'] })).rejects.toThrow(
      /no such file/,
    );
  });

  it('has guidelines in files of which one is large, one is no text, and one is gone', async () => {
    await ada.call('session_open', { session: 'Many' });
    const write = async (path: string, text: string) => ada.write(path, text, 'many');
    for (const [path, text] of [
      ['large.md', 'Count. '.repeat(50_000)],
      ['rules.pdf', '%PDF-1.4 none'],
    ] as const)
      await put((await ada.upload(path, text, { session: 'many' })).url, text);
    const gone = await write('gone.md', 'Gone.');
    await write('short.md', 'Only these.');
    await ada.call('research_open', {
      session: 'many',
      guidelines: 'By hand.',
      guideline_files: ['large.md', 'rules.pdf', 'gone.md', 'short.md'],
    });
    await ada.call('file_delete', { file: gone.id });
    const client = await ada.mcp('?toolsets=research');
    const { contents } = await client.readResource({ uri: 'carrel://research/many' });
    const { text } = contents[0] as { text: string };
    expect(text).toContain('By hand.');
    expect(text).toContain('Only these.');
    for (const path of ['large.md', 'rules.pdf']) expect(text).toMatch(new RegExp(`## ${path}\\n\\n[^#]*file_read`));
    expect(text).not.toContain('Gone.');
    const { messages } = await client.getPrompt({ name: 'write_report', arguments: { session: 'many' } });
    expect(JSON.stringify(messages)).toContain('By hand.');
  });

  it('counts as cited what is a source', async () => {
    const { session, keys } = await gathered('Counted', 10);
    await ada.call('report_outline', { session, sections: [{ heading: 'All' }] });
    await ada.call('report_write', { session, section: '1', text: `It is so [@${keys[0]}; @nobody1999].` });
    expect(await ada.call('research_status', { session })).toMatchObject({ counts: { cited: 1 } });
  });

  it('has a report whose title changes by itself', async () => {
    const { session } = await gathered('Titled', 11);
    await ada.call('report_outline', { session, sections: [{ heading: 'All', brief: 'All of it' }] });
    expect(await ada.call('report_outline', { session, title: 'Another title' })).toMatchObject({
      title: 'Another title',
      sections: [{ heading: 'All', brief: 'All of it' }],
    });
  });

  it('says how far it is and what comes next', async () => {
    const { session, keys } = await gathered('Far', 1, 2);
    expect(await ada.call('research_status', { session })).toMatchObject({
      counts: { sources: 2, unread: 2 },
      next: [expect.stringMatching(/^Read what nobody has read: 2 of 2/) as string],
    });
    for (const source of keys) await ada.call('source_read', { session, source });
    expect(await ada.call('research_status', { session })).toMatchObject({ counts: { unread: 0, unquoted: 2 } });
    await ada.call('source_update', { session, source: keys[0], state: 'dropped', rating: 1, note: 'Too old.' });
    expect(await ada.call('research_status', { session })).toMatchObject({ counts: { dropped: 1, unquoted: 1 } });
  });

  it('is put aside and taken up again', async () => {
    const { session } = await gathered('Aside', 3);
    expect(await ada.call('research_archive', { session })).toMatchObject({ archived: true });
    expect(await ada.call('research_status', { session })).toMatchObject({ archived: true });
    expect(await ada.call('research_open', { session })).toMatchObject({ archived: false, created: false });
  });

  it('is read, and not changed, by who may only read', async () => {
    const { session, keys } = await gathered('Seen', 4);
    const reader = await Owner.signIn('ada@example.com', 'sessions:read files:read research:read');
    expect(await reader.call('source_read', { session, source: keys[0] })).toMatchObject({ source: { read: false } });
    expect(await ada.call('research_status', { session })).toMatchObject({ counts: { unread: 1 } });
    await expect(reader.call('note_write', { session, title: 'No', text: 'No' })).rejects.toThrow(
      /research:write|forbidden|scope/,
    );
  });

  it('reads and writes no files for who was not given that', async () => {
    const { session } = await gathered('Apart', 10);
    await ada.write('secret.md', 'Nothing for apps of research.', session);
    await ada.call('report_outline', { session, sections: [{ heading: 'All' }] });
    await ada.call('report_write', { session, section: '1', text: 'All is well [@own].' });
    const { file } = await ada.call<{ file: { id: string } }>('research_export', { session });
    const app = await Owner.signIn('ada@example.com', 'research:read research:write');
    const { results } = await app.call<{ results: object[] }>('source_add', { session, files: ['secret.md'] });
    expect(results).toMatchObject([{ outcome: 'refused', reason: 'forbidden' }]);
    for (const [tool, input] of [
      ['research_open', { session, guideline_files: ['secret.md'] }],
      ['report_export', { session }],
      ['research_export', { session }],
      ['research_import', { session, file: file.id, title: 'Copy' }],
    ] as const)
      await expect(app.call(tool, input), tool).rejects.toThrow(/forbidden: This needs the permission files:/);
  });

  it('of somebody else is as one that does not exist', async () => {
    const { session, keys } = await gathered('Hers', 5);
    const { sources } = await ada.call<{ sources: { id: string }[] }>('source_list', { session });
    const eve = await Owner.signIn('eve@example.com');
    await eve.call('research_open', { session: 'Eve' });
    const told = async (name: string, input: Record<string, unknown>) =>
      eve.call(name, input).then(
        () => 'given',
        (error: Error) => error.message.replace(/\(request \w+\)/, ''),
      );
    for (const source of [keys[0], sources[0]?.id])
      expect(await told('source_read', { session: 'eve', source })).toBe(
        await told('source_read', { session: 'eve', source: 'no-such-source' }),
      );
    expect(await told('research_status', { session })).toBe(await told('research_status', { session: 'none' }));
  });
});

describe('a note', () => {
  it('is written, linked, found, edited and deleted', async () => {
    const { session, keys } = await gathered('Noted', 6);
    const { note } = await ada.call<{ note: { id: string; links: string[] } }>('note_write', {
      session,
      title: 'Dry months',
      text: 'A third of the wells is empty in August.',
      links: keys,
    });
    expect(note.links).toEqual(keys.toSorted());
    expect(await ada.call('note_list', { session, about: keys[0] })).toMatchObject({ notes: [{ id: note.id }] });
    expect(await ada.call('research_search', { session, query: 'August', kinds: ['note'] })).toMatchObject({
      findings: [{ kind: 'note', id: note.id }],
    });
    const replace = { old: 'August', new: 'September' };
    expect(await ada.call('note_edit', { session, note: note.id, replace, expected_version: 1 })).toMatchObject({
      note: { version: 2, text: 'A third of the wells is empty in September.' },
    });
    await expect(ada.call('note_edit', { session, note: note.id, text: 'x', expected_version: 1 })).rejects.toThrow(
      /conflict.*version 2/,
    );
    await expect(ada.call('note_edit', { session, note: note.id, replace })).rejects.toThrow(/exactly once/);
    expect(await ada.call('research_search', { session, query: 'August', kinds: ['note'] })).toMatchObject({
      findings: [],
    });
    expect(await ada.call('note_link', { session, note: note.id, remove: keys })).toMatchObject({
      note: { links: [] },
    });
    expect(await ada.call('note_edit', { session, note: note.id, delete: true })).toMatchObject({ deleted: true });
    expect(await ada.call('note_list', { session })).toMatchObject({ notes: [] });
  });

  it('that links to nothing is not written', async () => {
    const { session } = await gathered('Unlinked', 7);
    await expect(ada.call('note_write', { session, title: 'Lost', text: 'x', links: ['no-such-key'] })).rejects.toThrow(
      /names no source/,
    );
    expect(await ada.call('note_list', { session })).toMatchObject({ notes: [] });
  });
});

describe('a quote', () => {
  it.each([
    ['of one character', 'a', /invalid_input/],
    ['of 100,000 characters', 'well '.repeat(20_000), /too_large/],
  ])('%s is refused', async (_what, text, error) => {
    const { session, keys } = await gathered('Quotes', 8);
    await expect(ada.call('quote_add', { session, source: keys[0], text })).rejects.toThrow(error);
  });

  it('that was changed in the store is found out', async () => {
    const { session, keys } = await gathered('Forged', 9);
    await ada.call('quote_add', { session, source: keys[0], text: 'the first one that asked the people' });
    await ada.sql(
      `UPDATE research_quotes SET text = 'the last one that asked the people' WHERE text LIKE '%first one%'`,
    );
    expect(await ada.call('quote_check', { session })).toMatchObject({ proved: 0, failed: [{ outcome: 'differs' }] });
  });
});
