import { beforeAll, describe, expect, inject, it } from 'vitest';

import { textPdf } from '../fixtures/files/pdf.ts';
import { Owner, put } from '../support/files.ts';
import { send } from '../support/person.ts';

/** The kinds of jobs through the engine, as a client starts them. */

const library = inject('library');

interface Job {
  readonly id: string;
  readonly status: string;
  readonly error?: { readonly code: string; readonly message: string };
}

let ada: Owner;
const session = 'wells';

beforeAll(async () => {
  ada = await Owner.signIn('ada@example.com');
  await ada.call('research_open', { session: 'Wells' });
});

async function finished(definition: string, input: object): Promise<Job> {
  const { job } = await ada.call<{ job: Job }>('job_start', { definition, input });
  for (;;) {
    const now = (await ada.call<{ job: Job }>('job_get', { job: job.id, wait: 30 })).job;
    if (!['queued', 'running'].includes(now.status)) return now;
  }
}

async function resultOf(definition: string, input: object): Promise<unknown> {
  const job = await finished(definition, input);
  expect(job).toMatchObject({ status: 'completed' });
  return (await ada.call<{ result: unknown }>('job_result', { job: job.id })).result;
}

describe('through the engine', () => {
  it('import_sources takes in a sitemap, and watch_source looks at it again', async () => {
    expect(await resultOf('import_sources', { session, sitemap: `${library}/sitemap/text` })).toMatchObject({
      counts: { added: 2, refused: 0 },
      rows: [{ outcome: 'added', key: 'writerm2012' }, { outcome: 'added' }],
    });
    await fetch(`${library}/edition?of=13&is=2`);
    const watched = await resultOf('watch_source', { session });
    await fetch(`${library}/edition?of=13&is=1`);
    expect(watched).toMatchObject({ counts: { changed: 1, unchanged: 1 }, notes: { length: 1 } });
  });

  it('import_workspace takes in what export_workspace made: the way of a backup', async () => {
    await ada.call('source_add', { session, urls: [`${library}/article/20`] });
    await ada.write('notes/plan.md', '# Plan');
    await ada.call('state_set', { key: 'phase', value: 2 });
    const exported = (await resultOf('export_workspace', {})) as { file: string; size: number; counts: object };
    expect(exported).toMatchObject({ counts: { sessions: 2, state: 1, researches: 1 }, left_out: 0 });
    const archive = await (await send(await ada.link(exported.file))).arrayBuffer();
    expect(archive.byteLength).toBe(exported.size);

    ada = await Owner.signIn('elsewhere@example.com');
    const { upload } = await ada.call<{ upload: { url: string } }>('file_upload', {
      path: 'exports/mine.zip',
      size: archive.byteLength,
    });
    expect((await put(upload.url, archive)).status).toBe(201);
    expect(await resultOf('import_workspace', { file: 'exports/mine.zip' })).toMatchObject({
      counts: exported.counts,
      not_as_it_was: 0,
    });
    expect(await ada.call('file_read', { file: 'notes/plan.md' })).toMatchObject({ text: '# Plan' });
    expect(await ada.call('state_get', { key: 'phase' })).toMatchObject({ value: 2 });
    expect(
      await ada.call('quote_add', { session, source: 'writeru2020', text: 'the third survey of its kind' }),
    ).toBeDefined();
  });

  it('extract_text reads a file that was given up, and fails where there is nothing to read', async () => {
    const pdf = textPdf([['Wells of the first page.']]);
    const { upload } = await ada.call<{ upload: { url: string } }>('file_upload', { path: 'a.pdf', size: pdf.length });
    expect((await put(upload.url, pdf)).status).toBe(201);
    await ada.runTask('texts');
    await ada.sql("UPDATE content_texts SET state = 'too_slow'; DELETE FROM content_parts");
    expect(await resultOf('extract_text', { files: ['a.pdf'], into: 'texts' })).toMatchObject({ read: 1 });
    expect(await ada.call('file_read', { file: 'texts/a.pdf.md' })).toMatchObject({
      file: { version: 1 },
    });

    const blank = textPdf([[]]);
    const other = await ada.call<{ upload: { url: string } }>('file_upload', { path: 'b.pdf', size: blank.length });
    await put(other.upload.url, blank);
    expect(await finished('extract_text', { files: ['b.pdf'] })).toMatchObject({
      status: 'failed',
      error: { code: 'unsupported' },
    });
  });
});
