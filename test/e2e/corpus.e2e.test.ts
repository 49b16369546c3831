import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { beforeAll, expect, it } from 'vitest';

import { call } from '../../scripts/client/mcp.ts';
import { ROOT } from '../../scripts/lib/paths.ts';
import { useDeployment } from './support/deployment.ts';
import { signUp } from './support/people.ts';
import type { Person } from './support/people.ts';

/** Real files, which are beside the checkout and not in it: https://github.com/py-pdf/sample-files */
const FOLDER = join(ROOT, '../shared/corpus/pdf');

/** What a person reads in each, on its first or its last page. */
const PHRASES: Readonly<Record<string, readonly string[]>> = {
  '002-trivial-libre-office-writer.pdf': ['"consetetur sadipscing elitr"', 'invidunt'],
  'GeoTopo-komprimiert.pdf': ['Einführung Geometrie Topologie', 'Zusammenhangskomponente', '"Weingarten-Abbildung"'],
  'crazyones-pdfa.pdf': ['troublemakers', '"round pegs"'],
  'google-doc-document.pdf': ['"Beautiful is better than ugly"', '"Vatican City"'],
  'habibi.pdf': ['habibi'],
  'minimal-document.pdf': ['"takimata sanctus"'],
  'mistitled_outlines_example.pdf': ['"length of words should match"', 'Baz'],
  'multicolumn.pdf': ['"Two-Column Document"', 'Helsinki Finnish'],
  'pdfkit.pdf': ['Header "Foo: bar"'],
  'pdflatex-4-pages.pdf': ['"text without a meaning"'],
  'pdflatex-outline.pdf': ['"length of words should match"'],
};
const WITHOUT: Readonly<Record<string, RegExp>> = {
  'imagemagick-images.pdf': /: unsupported: It has no text/,
  'libreoffice-writer-password.pdf': /: unsupported: .*password/,
};

const isThere = existsSync(FOLDER);
if (!isThere) console.log(`skipped: there is no ${FOLDER}`);

const deployment = useDeployment();
let ada: Person;

const read = async (file: string) =>
  call<{ text: string }>(ada.client, 'file_read', { file }).then(
    ({ text }) => text,
    (error: Error) => error.message,
  );

beforeAll(async () => {
  if (!isThere) return;
  ada = await signUp(deployment.mcpUrl, 'ada@example.com');
  for (const path of readdirSync(FOLDER)) {
    const bytes = readFileSync(join(FOLDER, path));
    const { upload } = await call<{ upload: { url: string } }>(ada.client, 'file_upload', {
      path,
      size: bytes.length,
    });
    const stored = await fetch(upload.url, { method: 'PUT', body: new Uint8Array(bytes) });
    if (!stored.ok) throw new Error(`${path} was refused with ${stored.status}`);
  }
  for (const path of readdirSync(FOLDER)) while (/: unavailable: /.test(await read(path))) await sleep(100);
}, 120_000);

it.runIf(isThere)('knows every file of the collection', () => {
  expect(readdirSync(FOLDER).toSorted()).toEqual([...Object.keys(PHRASES), ...Object.keys(WITHOUT)].toSorted());
});

it.runIf(isThere).each(Object.entries(PHRASES))('%s is found by what stands in it', async (path, phrases) => {
  for (const query of phrases) {
    const { files } = await call<{ files: { path: string }[] }>(ada.client, 'file_search', { query });
    expect(
      files.map((file) => file.path),
      query,
    ).toContain(path);
  }
});

it.runIf(isThere).each(Object.entries(WITHOUT))('%s says why it has no text', async (path, why) => {
  expect(await read(path)).toMatch(why);
});

it.runIf(isThere)(
  'each PDF with text is a source with its pages, the others are refused with the right reason',
  async () => {
    await call(ada.client, 'research_open', { session: 'default' });
    const { results } = await call<{
      results: {
        input: string;
        outcome: string;
        reason?: string;
        source?: { key: string; unit: string; parts: number };
      }[];
    }>(ada.client, 'source_add', { files: readdirSync(FOLDER) });
    const reasons = { 'imagemagick-images.pdf': 'no_text', 'libreoffice-writer-password.pdf': 'encrypted' };
    for (const { input, ...result } of results)
      expect([input, result]).toMatchObject([
        input,
        input in reasons
          ? { outcome: 'refused', reason: reasons[input as keyof typeof reasons] }
          : { outcome: 'added', source: { unit: 'page' } },
      ]);
    const book = results.find(({ input }) => input === 'GeoTopo-komprimiert.pdf')?.source;
    expect(book).toMatchObject({ key: 'thoma2016', parts: 117 });
    const { untrusted } = await call<{ untrusted: string }>(ada.client, 'source_read', {
      source: 'thoma2016',
      outline: true,
    });
    expect(untrusted).toContain('  1.1 Topologische Räume (part 6)');
    expect(await call(ada.client, 'source_read', { source: 'thoma2016', part: 6 })).toMatchObject({
      part: 6,
      untrusted: expect.stringContaining('Topologische Räume') as string,
    });
  },
);
