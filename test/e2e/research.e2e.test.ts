import { Cite } from '@citation-js/core';
import '@citation-js/plugin-bibtex';
import '@citation-js/plugin-ris';
import mammoth from 'mammoth';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { approve } from '../../scripts/client/browser.ts';
import { call } from '../../scripts/client/mcp.ts';
import { openLibrary, passageOf } from '../support/library.ts';
import { useDeployment } from './support/deployment.ts';
import { signUp } from './support/people.ts';
import type { Person } from './support/people.ts';
import { connectV1, V1Auth } from './support/sdk-v1.ts';

const deployment = useDeployment({ FETCH_LOOPBACK: 'true' });

const SOURCES = 30;
const SHARED = 'Nobody had counted them since the old land register was closed';
const HEADINGS = ['Question', 'Method', 'North', 'East', 'South', 'West', 'What follows', 'Limits'];

let library: Awaited<ReturnType<typeof openLibrary>>;
/** An app of 2026. */
let finisher: Person;
let bob: Person;
/** Calls as the app of 2025 that begins the research. */
let starter: <Result>(name: string, input: Record<string, unknown>) => Promise<Result>;

beforeAll(async () => {
  library = await openLibrary();
  finisher = await signUp(`${deployment.mcpUrl}?toolsets=sessions,files,research`, 'ada@example.com');
  bob = await signUp(deployment.mcpUrl, 'bob@example.com');
  const { client } = await connectV1(
    deployment.mcpUrl,
    new V1Auth(async (link) => approve(finisher.browser, link, finisher.email)),
  );
  starter = async <Result>(name: string, input: Record<string, unknown>) => {
    const result = await client.callTool({ name, arguments: input });
    if (result.isError === true) throw new Error(JSON.stringify(result.content));
    return result.structuredContent as Result;
  };
});
afterAll(() => library.close());

const session = 'wells-of-the-province';

it('one app gathers, reads, quotes and notes; another writes, checks and exports; another person imports it all', async () => {
  // An app of 2025 begins.
  await starter('research_open', {
    session: 'Wells of the province',
    question: 'How many wells are there, and who drinks from them?',
    guidelines: 'Surveys only, none older than 2000.',
  });
  const keys: string[] = [];
  for (const numbers of [range(0, 20), range(20, SOURCES)]) {
    const { results } = await starter<{ results: { outcome: string; source: { key: string } }[] }>('source_add', {
      session,
      urls: numbers.map((number) => `${library.url}/article/${number}`),
    });
    expect(results.map(({ outcome }) => outcome)).toEqual(numbers.map(() => 'added'));
    keys.push(...results.map(({ source }) => source.key));
  }
  for (const [number, source] of keys.entries()) {
    await starter('source_read', { session, source });
    for (const text of [passageOf(number), SHARED])
      expect(await starter('quote_add', { session, source, text, why: 'a count' })).toMatchObject({ accepted: true });
  }
  for (const number of range(0, 20))
    await starter('note_write', { session, title: `Note ${number}`, text: 'Dug by hand.', links: [keys[number]] });

  // An app of 2026 goes on.
  const { messages } = await finisher.client.getPrompt({ name: 'continue_research', arguments: { session } });
  expect(JSON.stringify(messages)).toContain('Surveys only, none older than 2000.');
  expect(await call(finisher.client, 'research_status', { session })).toMatchObject({
    counts: { sources: SOURCES, quotes: 2 * SOURCES, notes: 20, unread: 0 },
  });
  await call(finisher.client, 'report_outline', {
    session,
    title: 'The wells of the province',
    sections: HEADINGS.map((heading) => ({ heading })),
  });
  for (const [index, section] of HEADINGS.entries()) {
    const text = range(index * 3, index * 3 + 3)
      .map((number) => `The survey of that year says: “${passageOf(number)}” [@${keys[number]}].`)
      .join('\n\n');
    expect(await call(finisher.client, 'report_write', { session, section, text })).toMatchObject({ unknown: [] });
  }
  expect(await call(finisher.client, 'report_check', { session })).toMatchObject({ passed: true, findings: [] });
  expect(await call(finisher.client, 'quote_check', { session })).toMatchObject({
    checked: 60,
    proved: 60,
    failed: [],
  });

  // What is exported is read by programs that are not ours.
  const formats = ['markdown', 'html', 'docx', 'bibtex', 'ris', 'csl-json'];
  const { files } = await call<{ files: { id: string; path: string }[] }>(finisher.client, 'report_export', {
    session,
    formats,
  });
  expect(files.map(({ path }) => path.replace(`report/${session}.`, ''))).toEqual([
    'md',
    'html',
    'docx',
    'bib',
    'ris',
    'csl.json',
  ]);
  const [markdown, html, docx, bibtex, ris, csl] = await Promise.all(
    files.map(async ({ id }) => download(finisher, id)),
  );
  const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
  expect(text(markdown)).toContain('# The wells of the province');
  expect(text(html)).toContain(`found ${24 * 7 - 7 + 3} working wells`);
  // It takes any bytes, but says that it takes those of Node alone.
  const { value: word } = await mammoth.convertToHtml({ buffer: docx as never });
  for (const heading of HEADINGS) expect(word).toMatch(new RegExp(`<h[1-6]>(?:<a [^>]*></a>)*${heading}</h[1-6]>`));
  expect(word).toContain('found 10 working wells');
  for (const list of [bibtex, ris, csl]) {
    const entries = new Cite(text(list)).data;
    const titles = range(0, 24).map((number) => `Wells of district ${number}`);
    expect(new Set(entries.map(({ title }) => title))).toEqual(new Set(titles));
    expect(entries).toHaveLength(titles.length);
  }

  // Another person takes all of it in.
  const { file } = await call<{ file: { id: string; sha256: string } }>(finisher.client, 'research_export', {
    session,
  });
  const archive = await download(finisher, file.id);
  const { upload } = await call<{ upload: { url: string } }>(bob.client, 'file_upload', {
    path: 'wells.zip',
    size: archive.byteLength,
    sha256: file.sha256,
  });
  expect((await fetch(upload.url, { method: 'PUT', body: archive })).status).toBe(201);
  expect(await call(bob.client, 'research_import', { file: 'wells.zip', title: 'Wells, from Ada' })).toMatchObject({
    sources: SOURCES,
    quotes: 60,
    notes: 20,
    sections: 8,
  });
  const there = { session: 'wells-from-ada' };
  expect(await call(bob.client, 'quote_check', there)).toMatchObject({ checked: 60, proved: 60, failed: [] });
  expect(await call(bob.client, 'report_check', there)).toMatchObject({ passed: true });
  const found = await call<{ findings: { source: string }[] }>(bob.client, 'research_search', {
    ...there,
    query: '"31 working wells"',
    kinds: ['source'],
  });
  expect(found.findings).toMatchObject([{ source: keys[4] }]);
}, 240_000);

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_none, index) => from + index);
}

async function download({ client }: Person, file: string): Promise<Uint8Array<ArrayBuffer>> {
  const { download: link } = await call<{ download: { url: string } }>(client, 'file_link', { file, session });
  return new Uint8Array(await (await fetch(link.url)).arrayBuffer());
}
