import { beforeAll, describe, expect, it } from 'vitest';

import { extractText } from '../../src/jobs/definitions/extract_text.ts';
import { textPdf } from '../fixtures/files/pdf.ts';
import { Owner, put } from '../support/files.ts';
import { expectNothingLoose, fakeJob } from '../support/fake-jobs.ts';

interface Read {
  readonly read: number;
  readonly refused: number;
  readonly files: readonly { outcome: string; text?: { id: string; path: string }; [more: string]: unknown }[];
}

let ada: Owner;

beforeAll(async () => {
  ada = await Owner.signIn('ada@example.com');
});

async function stored(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const { upload } = await ada.call<{ upload: { url: string } }>('file_upload', { path, size: bytes.byteLength });
  expect((await put(upload.url, bytes)).status).toBe(201);
}

describe('extract_text', () => {
  it('reads what was given up as too slow, for everybody and into a file, once', async () => {
    await stored('slow.pdf', textPdf([['The first page.'], ['The wells of the second.']]));
    await ada.runTask('texts');
    await ada.sql("UPDATE content_texts SET state = 'too_slow'; DELETE FROM content_parts");
    await expect(ada.call('file_read', { file: 'slow.pdf' })).rejects.toThrow(/too long to be read/);

    const { run, services } = fakeJob(ada);
    const result = await run.start<Read>(extractText(services), { files: ['slow.pdf'], into: 'texts/' }, true);
    expect(run.crashes).toBeGreaterThan(3);
    expect(result).toMatchObject({
      read: 1,
      refused: 0,
      files: [{ path: 'slow.pdf', unit: 'page', parts: 2, searchable: true, text: { path: 'texts/slow.pdf.md' } }],
    });
    expect(await ada.call('file_read', { file: 'slow.pdf' })).toMatchObject({ part: 1, parts: 2 });
    expect(await ada.call('file_search', { query: 'wells' })).toMatchObject({ files: { length: 1 } });
    const { text } = await ada.call<{ text: string }>('file_read', { file: 'texts/slow.pdf.md' });
    expect(text).toBe('## Page 1\n\nThe first page.\n\n## Page 2\n\nThe wells of the second.\n');
    expect((await ada.rows('files')).filter((row) => row['version'] !== 1)).toEqual([]);
    await expectNothingLoose(ada);
  });

  it('says of each file why it has no text, and fails where none has any', async () => {
    await ada.write('note.md', '# A\n\nnote');
    await stored('blank.pdf', textPdf([[]]));
    const both = fakeJob(ada);
    expect(await both.run.start<Read>(extractText(both.services), { files: ['note.md', 'blank.pdf'] })).toMatchObject({
      read: 1,
      files: [
        { outcome: 'read', unit: 'section' },
        { outcome: 'refused', reason: 'no_text' },
      ],
    });
    const blank = fakeJob(ada);
    await expect(blank.run.start(extractText(blank.services), { files: ['blank.pdf'] })).rejects.toThrow(
      /made of images/,
    );
  });

  it.each([
    ['a file that is not there', 'nothing.pdf', /no such file/],
    ['an image', 'dot.png', /Nobody here reads files of this type/],
  ])('refuses %s before there is a job', async (_what, file, error) => {
    await ada.call('file_write', { path: 'dot.png', base64: 'iVBORw0KGgo=' });
    const { run, services } = fakeJob(ada);
    await expect(run.start(extractText(services), { files: [file] })).rejects.toThrow(error);
    expect(run.steps).toEqual([]);
  });
});
