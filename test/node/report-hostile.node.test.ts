import { describe, expect, it } from 'vitest';

import { CarrelError } from '../../src/lib/errors.ts';
import { checkReport } from '../../src/research/report/check-report.ts';
import {
  CELLS,
  CITATIONS,
  LINES,
  MARKS,
  REPORT_CHARACTERS,
  SECTION_CHARACTERS,
  SECTIONS,
} from '../../src/research/report/model.ts';
import { readReport } from '../../src/research/report/read-report.ts';
import { renderDocx } from '../../src/research/report/render-docx.ts';
import { renderHtml } from '../../src/research/report/render-html.ts';
import { renderMarkdown } from '../../src/research/report/render-markdown.ts';
import { report } from '../support/reports.ts';

/** ms of CPU time, on a machine that may be slow and has other work; what has no bound takes minutes. */
const CPU_MS = 20_000;

/** As much of it as a report may have in one section. */
function filled(piece: string, size = SECTION_CHARACTERS): string {
  const marks = piece.match(/[*_~[\]`<&\\@]/g)?.length ?? 0;
  const lines = piece.match(/\S.*\n/g)?.length ?? 0;
  return piece.repeat(Math.floor(Math.min(size / piece.length, (MARKS - 10) / marks, (LINES - 10) / lines)));
}

function numbered(line: (index: number) => string, count: number): string {
  return Array.from({ length: count }, (_, index) => line(index)).join('\n');
}

interface Bomb {
  readonly name: string;
  readonly markdown: string;
  /** Why it is refused. */
  readonly refusal?: RegExp;
}

const BOMBS: readonly Bomb[] = [
  { name: 'quotations in one another', markdown: `${'>'.repeat(10_000)} x`, refusal: /levels deep/ },
  { name: 'spaced quotations in one another', markdown: `${'> '.repeat(10_000)}x`, refusal: /levels deep/ },
  { name: 'lists in one another', markdown: `${'- '.repeat(10_000)}x`, refusal: /levels deep/ },
  {
    name: 'lists, line by line',
    markdown: numbered((index) => `${' '.repeat(2 * index)}- x`, 600),
    refusal: /levels deep/,
  },
  { name: 'emphasis in itself', markdown: `${'*a '.repeat(200)}b${' c*'.repeat(200)}`, refusal: /levels deep/ },
  { name: 'strength in itself', markdown: `${'**a '.repeat(200)}b${' c**'.repeat(200)}`, refusal: /levels deep/ },
  { name: 'brackets that open', markdown: filled('[') },
  { name: 'brackets that close', markdown: filled(']') },
  { name: 'brackets in one another', markdown: `${'['.repeat(MARKS / 2)}${']'.repeat(MARKS / 2)}` },
  { name: 'images that open', markdown: filled('![') },
  { name: 'stars', markdown: filled('*') },
  { name: 'stars and words', markdown: filled('*a ') },
  { name: 'stars and underscores', markdown: filled('*a_') },
  { name: 'pairs of stars', markdown: filled('a**b') },
  { name: 'tildes', markdown: filled('~~a') },
  { name: 'backticks of all lengths', markdown: numbered((index) => `${'`'.repeat(index + 1)}a`, 540) },
  { name: 'links that are not closed', markdown: filled('[a](b') },
  { name: 'links with titles that are not closed', markdown: filled('[a](b "') },
  { name: 'citations that are not closed', markdown: filled('[@a; ') },
  { name: 'citations', markdown: filled('[@a;@b] '), refusal: /citations/ },
  { name: 'one citation of many works', markdown: `[${filled('@a;', 300_000)}]` },
  { name: 'mentions', markdown: filled('@a ') },
  { name: 'addresses', markdown: filled('https://a.example ') },
  { name: 'addresses of e-mail', markdown: filled('a@b.example ') },
  {
    name: 'a table of many cells',
    markdown: `|${'a|'.repeat(10)}\n|${'-|'.repeat(10)}\n${filled(`|${'a|'.repeat(10)}\n`, 300_000)}`,
    refusal: /cells/,
  },
  {
    name: 'a table of many columns',
    markdown: `${'|a'.repeat(2000)}\n${'|-'.repeat(2000)}\n${filled('|\n', 300_000)}`,
    refusal: /cells/,
  },
  { name: 'notes', markdown: filled('[^1]: a\n'), refusal: /footnotes/ },
  {
    name: 'notes within notes',
    markdown: numbered((index) => `[^${index}]: a[^${index + 1}]`, 15_000),
    refusal: /footnotes/,
  },
  {
    name: 'references to one note',
    markdown: `[^1]: a\n\n${filled('[^1] ', 300_000)}`,
    refusal: /references to footnotes/,
  },
  { name: 'notes in lines', markdown: filled('^[a') },
  {
    name: 'a long address that is used often',
    markdown: `[a]: https://a.example/${'x'.repeat(2000)}\n\n${filled('[a] ', 200_000)}`,
    refusal: /addresses/,
  },
  { name: 'definitions', markdown: numbered((index) => `[${index}]: b`, LINES) },
  { name: 'lists', markdown: filled('- a\n\n') },
  { name: 'headings', markdown: filled('# a\n') },
  { name: 'quotation marks that open', markdown: filled('“') },
  { name: 'quotation marks of all kinds', markdown: filled('«„“"「') },
  { name: 'short sentences', markdown: filled('A. ') },
  { name: 'one sentence', markdown: filled('word ') },
  { name: 'spaces', markdown: filled(' a     ') },
  { name: 'line ends', markdown: filled('\n') },
  { name: 'paragraphs of a quotation', markdown: filled('> a\n>\n') },
  { name: 'signs that stand for citations', markdown: filled('\uFFFC ') },
  { name: 'text without a space', markdown: filled('漢') },
];

/** ms of CPU, and the message of what was thrown. */
async function costOf(work: () => unknown): Promise<{ cost: number; message: string }> {
  const began = process.cpuUsage();
  let message = '';
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CarrelError)) throw error;
    ({ message } = error);
  }
  return { cost: Math.round(process.cpuUsage(began).user / 1000), message };
}

describe('a hostile section', () => {
  it.each(BOMBS)('of $name costs no more than it may', { timeout: 60_000 }, async ({ markdown, refusal = /^$/ }) => {
    expect(markdown.length).toBeLessThanOrEqual(SECTION_CHARACTERS);
    const sections = [{ heading: 'One', level: 1, markdown }];
    const checked = await costOf(() =>
      checkReport({ outline: [], sections, sources: new Map(), standsIn: async () => false }),
    );
    const asMarkdown = await costOf(() => renderMarkdown(report({ sections })));
    const asHtml = await costOf(() => renderHtml(report({ sections })));
    const asDocx = await costOf(() => renderDocx(report({ sections })));
    const all = [checked, asMarkdown, asHtml, asDocx];
    console.log(`${all.map(({ cost }) => cost).join(', ')} ms of CPU`);
    for (const { message } of [checked, asMarkdown, asHtml]) expect(message).toMatch(refusal);
    expect(all.reduce((sum, { cost }) => sum + cost, 0)).toBeLessThan(CPU_MS);
  });
});

describe('a report that is too large', () => {
  const refusal = (count: number, markdown: string): unknown => {
    try {
      readReport(Array.from({ length: count }, () => ({ heading: 'One', level: 1, markdown })));
    } catch (error) {
      return error;
    }
    return undefined;
  };
  const names = (limit: number) => ({ code: 'too_large', message: expect.stringContaining(String(limit)) });

  it('is refused with what is too much', () => {
    expect(refusal(1, 'x'.repeat(SECTION_CHARACTERS + 1))).toMatchObject({
      ...names(SECTION_CHARACTERS),
      details: { section: 1 },
    });
    expect(refusal(SECTIONS + 1, '')).toMatchObject(names(SECTIONS));
    expect(refusal(6, 'x'.repeat(SECTION_CHARACTERS))).toMatchObject(names(REPORT_CHARACTERS));
    expect(refusal(2, 'x\n'.repeat(LINES / 2 + 1))).toMatchObject(names(LINES));
    expect(refusal(2, '*'.repeat(MARKS / 2 + 1))).toMatchObject(names(MARKS));
    expect(refusal(2, '[@a] '.repeat(CITATIONS / 2 + 1))).toMatchObject(names(CITATIONS));
    const table = `|${'a|'.repeat(50)}\n|${'-|'.repeat(50)}\n${`|${'b|'.repeat(50)}\n`.repeat(CELLS / 50)}`;
    expect(refusal(1, table)).toMatchObject(names(CELLS));
    expect(refusal(SECTIONS, 'x')).toBeUndefined();
  });

  it('is refused as a Word document where that does not fit in memory', async () => {
    const sections = [{ heading: 'One', level: 1, markdown: '- a\n'.repeat(LINES / 2) }];
    await expect(renderDocx(report({ sections }))).rejects.toMatchObject({ code: 'too_large' });
    expect(await renderHtml(report({ sections }))).toContain('<li>a</li>');
  });
});
