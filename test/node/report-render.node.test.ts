import { createHash } from 'node:crypto';

import fc from 'fast-check';
import { Parser } from 'htmlparser2';
import mammoth from 'mammoth';
import { describe, expect, it } from 'vitest';

import { STYLES } from '../../src/research/references/cited-works.ts';
import type { ReportDocument } from '../../src/research/report/model.ts';
import { renderDocx } from '../../src/research/report/render-docx.ts';
import { renderHtml } from '../../src/research/report/render-html.ts';
import { report } from '../support/reports.ts';

/** Tags with their attributes, and the text that a reader sees, as a parser has them that is not ours. */
function parsed(html: string) {
  const tags: { name: string; attributes: Record<string, string> }[] = [];
  let text = '';
  let hidden = 0;
  const parser = new Parser({
    onopentag: (name, attributes) => {
      tags.push({ name, attributes });
      if (name === 'style' || name === 'title') hidden += 1;
    },
    ontext: (piece) => (text += hidden > 0 ? '' : piece),
    onclosetag: (name) => (hidden -= name === 'style' || name === 'title' ? 1 : 0),
  });
  parser.end(html);
  return {
    tags,
    text,
    of: (name: string) => tags.filter((tag) => tag.name === name).map(({ attributes }) => attributes),
  };
}

const section = (markdown: string): Partial<ReportDocument> => ({ sections: [{ heading: 'One', level: 1, markdown }] });

describe('a report as HTML', () => {
  it('is one file that runs and loads nothing', async () => {
    const html = await renderHtml(report());
    const { of, tags } = parsed(html);
    const policy = of('meta').find((meta) => meta['http-equiv'] === 'Content-Security-Policy')?.['content'];
    const [, style = ''] = /<style>(.*?)<\/style>/s.exec(html) ?? [];
    const hash = createHash('sha256').update(style).digest('base64');
    expect(policy).toBe(`default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`);
    const loading = new Set(['script', 'link', 'img', 'iframe', 'object', 'form', 'svg', 'video', 'base']);
    expect(tags.filter(({ name }) => loading.has(name))).toEqual([]);
    expect(
      tags.flatMap(({ attributes }) => Object.keys(attributes)).filter((name) => /^on|^style$/.test(name)),
    ).toEqual([]);
    expect(style).toMatch(/@page.*@media print/s);
    expect(style).toContain('prefers-color-scheme: dark');
  });

  it('has citations that lead to their entries, with how each came', async () => {
    const { of, text } = parsed(await renderHtml(report()));
    const targets = of('a')
      .map(({ href }) => href ?? '')
      .filter((href) => href.startsWith('#ref-'));
    const ids = new Set(of('li').map(({ id }) => `#${id}`));
    expect(new Set(targets)).toEqual(new Set(['#ref-plain', '#ref-two', '#ref-three', '#ref-same-a', '#ref-junior']));
    expect(targets.filter((target) => !ids.has(target))).toEqual([]);
    expect(text).toContain('Intro text (Doe, 2024, p. 4) with');
    expect(text).toContain('Fetched 2026-09-25 10:00 UTC, SHA-256 0123abcd');
    expect(text).toContain('Another note[1] and [@gone].');
  });

  it('shows HTML of the report as text, and links only to the web and to mail', async () => {
    const { of, text } = parsed(await renderHtml(report()));
    expect(text).toContain('<b>html</b> and *stars*');
    expect(text).toContain('<script>alert(1)</script> [x](javascript:alert(1))');
    const schemes = new Set(of('a').map(({ href = '' }) => /^(?:\w+:|#)/.exec(href)?.[0]));
    expect(schemes).toEqual(new Set(['https:', 'mailto:', '#']));
  });

  it('has the language and the direction of its text', async () => {
    const [arabic] = parsed(await renderHtml(report({ language: 'ar-EG' }))).of('html');
    const [none] = parsed(await renderHtml(report({ language: undefined }))).of('html');
    expect([arabic, none]).toEqual([{ lang: 'ar-EG', dir: 'rtl' }, { lang: 'en' }]);
    expect(parsed(await renderHtml(report({ language: '"><script>' }))).of('script')).toEqual([]);
  });

  it('has no id twice, whatever the sections have in common', async () => {
    const ids = parsed(await renderHtml(report()))
      .tags.map(({ attributes }) => attributes['id'])
      .filter((id) => id !== undefined);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('shows hostile text as it is', async () => {
    const text = fc
      .array(
        fc.constantFrom(
          '<',
          '>',
          '"',
          "'",
          '&',
          '</style>',
          '<script>',
          '<!--',
          ']]>',
          '[@plain]',
          '`',
          '\n',
          'x',
          '](javascript:x)',
          '[',
          '<img src=x onerror=y>',
          '&lt;',
          '\0',
        ),
      )
      .map((pieces) => pieces.join(''));
    await fc.assert(
      fc.asyncProperty(text, async (hostile) => {
        const html = await renderHtml(
          report({ title: hostile, ...section(hostile), provenance: new Map([['plain', hostile]]) }),
        );
        const { tags } = parsed(html);
        expect(tags.filter(({ name }) => ['script', 'img'].includes(name))).toEqual([]);
        expect(tags.filter(({ name }) => name === 'style')).toHaveLength(1);
        const names = new Set(tags.flatMap(({ attributes }) => Object.keys(attributes)));
        expect([...names].filter((name) => name.startsWith('on'))).toEqual([]);
      }),
    );
  });
});

describe('a report as DOCX', () => {
  async function readBack(document: ReportDocument) {
    // It takes any bytes, but says that it takes those of Node alone.
    const buffer = (await renderDocx(document)) as never;
    const { value, messages } = await mammoth.convertToHtml({ buffer });
    return {
      html: value,
      messages: messages.map(({ message }) => message),
      ...parsed(value),
    };
  }

  it('is read back with its headings and its text', async () => {
    const { html, text, messages } = await readBack(report());
    // It has HTML for the styles that it knows; text of others is in paragraphs.
    expect(messages.map((message) => /'(\w+)'/.exec(message)?.[1])).toEqual(['Title', 'Quote', 'Code', 'Provenance']);
    expect(html).toContain('First &amp; &lt;last&gt;</h1>');
    expect(html).toMatch(/<h2>(?:<a[^>]*><\/a>)?Inner heading<\/h2>/);
    expect(html).toMatch(/<h2>(?:<a[^>]*><\/a>)?Next<\/h2>/);
    expect(html).toContain('References</h1>');
    expect(text).toContain('Of <bees> & *ants*');
    expect(text).toContain('Intro text (Doe, 2024, p. 4) with emphasis, strength');
    expect(text).toContain('<b>html</b> and *stars*.');
    expect(text).toContain("const a = '[@plain]';");
    expect(text).toContain('Fetched 2026-09-25 10:00 UTC, SHA-256 0123abcd');
    expect(html).toMatch(/<em>emphasis<\/em>, <strong>strength<\/strong>, <s>a mistake<\/s>/);
  });

  it('has its lists, tables, links and notes', async () => {
    const { html, of, text } = await readBack(report());
    expect(html).toMatch(
      /<ul><li>one .*?<\/li><li>two<ul><li>nested<\/li><\/ul><ol><li>first<\/li><li>second<\/li><\/ol><\/li><\/ul>/,
    );
    expect(html).toMatch(/<table>.*a.*b \| c.*x\|y.*<\/table>/s);
    expect(of('a').map(({ href }) => href)).toEqual(
      expect.arrayContaining(['https://x.example/a_b', 'mailto:me@x.example', 'https://ref.example']),
    );
    expect(of('a').some(({ href = '' }) => href.startsWith('#source_'))).toBe(true);
    expect(text).toContain('The note with (King, 1963).');
    expect(text).toContain('Of the next section (King, 1963).');
  });

  it.each(STYLES)('has the bibliography of %s', async (style) => {
    const { text } = await readBack(report({ style }));
    expect(text).toContain('How bees find home');
    expect(text).toContain(
      { apa: '(Doe, 2024, p. 4)', chicago: '(Doe 2024, 4)', ieee: '[1, p. 4]', numeric: '[1, p. 4]' }[style],
    );
  });

  it('keeps every word, whatever stands between them', async () => {
    const pieces = fc.constantFrom(
      '\n\n',
      '\n- ',
      '\n> ',
      ' *',
      '* ',
      ' `',
      '` ',
      '\n1. ',
      '\0',
      '\u000B',
      '\uD800',
      '\uFFFF',
      '<w:p>',
      '&',
      ']]>',
      '漢 ',
      '[@plain]',
      '\n\n# ',
      '[^1] ',
      '\n\n[^1]: ',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 12 }), async (list) => {
        const words = list.map((_, index) => `word${index}`);
        const markdown = list.map((piece, index) => `${piece}${words[index]} `).join('');
        const shown = parsed(await renderHtml(report(section(markdown)))).text.match(/word\d+/g) ?? [];
        const back = (await readBack(report(section(markdown)))).text.match(/word\d+/g) ?? [];
        // A note to which is referred twice is read back twice.
        expect(new Set(back)).toEqual(new Set(shown));
      }),
      { numRuns: 60 },
    );
  });
});
