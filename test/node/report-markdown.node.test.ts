import fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import footnotes from 'markdown-it-footnote';
import { describe, expect, it } from 'vitest';

import { STYLES } from '../../src/research/references/cited-works.ts';
import type { ReportDocument } from '../../src/research/report/model.ts';
import { renderMarkdown } from '../../src/research/report/render-markdown.ts';
import { SAMPLES } from '../support/references.ts';

function report(markdown: string, more: Partial<ReportDocument> = {}): ReportDocument {
  return {
    title: 'Report',
    language: 'en',
    sections: [{ heading: 'One', level: 1, markdown }],
    references: SAMPLES,
    provenance: new Map(),
    style: 'apa',
    createdAt: Date.UTC(2026, 8, 25),
    ...more,
  };
}

/** What is written of a section. */
function written(markdown: string, more?: Partial<ReportDocument>): string {
  return renderMarkdown(report(markdown, more))
    .replace(/^# Report\n\n## One\n*/, '')
    .trimEnd();
}

/** A reader of Markdown that knows no citations. */
const reader = new MarkdownIt({ html: false, linkify: true }).use(footnotes);
reader.linkify.set({ fuzzyLink: false });
reader.inline.ruler.disable('footnote_inline');
reader.validateLink = (url) => /^(?:https?:\/\/|mailto:)/i.test(url);

function seen(markdown: string): string {
  return reader.render(markdown, {}).replaceAll(/\s+/g, ' ');
}

describe('a report as Markdown', () => {
  it('has worded citations, and its bibliography at the end', () => {
    const text = renderMarkdown(
      report('Bees find home [@plain, p. 4]. [@own] So it is [see @two; @gone].', {
        title: 'Of *bees*',
        provenance: new Map([['plain', 'Fetched 2026-09-25, SHA-256 ab_cd']]),
      }),
    );
    expect(text).toBe(
      [
        String.raw`# Of \*bees\*`,
        '## One',
        String.raw`Bees find home (Doe, 2024, p. 4). So it is (see Smith & Lee, 2023) \[\@gone\].`,
        '## References',
        'Doe, J. (2024, March 1). *How bees find home*. Bee World. <https://bees.example/home>\\\nFetched 2026-09-25, SHA-256 ab\\_cd',
        'Smith, J., & Lee, A. (2023, May). *Two of us*. The Paper. <https://paper.example/two>',
        '',
      ]
        .join('\n\n')
        .replace(/\n\n$/, '\n'),
    );
  });

  it('has them in each style', () => {
    const lines = STYLES.map((style) => written('So [@two; @plain].', { style }).split('\n')[0]);
    expect(lines).toEqual([
      'So (Doe, 2024; Smith & Lee, 2023).',
      'So (Smith and Lee 2023; Doe 2024).',
      String.raw`So \[1\], \[2\].`,
      String.raw`So \[1,2\].`,
    ]);
  });

  it('keeps sections apart: their notes, links by reference, and code that is not closed', () => {
    const sections = [
      { heading: 'One', level: 1, markdown: 'A[^1] and [x].\n\n[^1]: First.\n\n[x]: https://one.example' },
      {
        heading: 'Two',
        level: 1,
        markdown: 'B[^1] and [x].\n\n[^1]: Second.\n\n[x]: https://two.example\n\n```\n[@plain]',
      },
      { heading: 'Three', level: 2, markdown: 'C [x] <!-- [^1]' },
    ];
    const html = seen(renderMarkdown(report('', { sections })));
    expect(html).toContain('and <a href="https://one.example">x</a>');
    expect(html).toContain('and <a href="https://two.example">x</a>');
    expect(html).toContain('<h3>Three</h3> <p>C [x] &lt;!-- [^1]</p>');
    expect(html.match(/class="footnote-item"/g)).toHaveLength(2);
  });

  it('puts headings below that of their section', () => {
    expect(written('# A\n\n## B\n\nC\n-\n')).toBe('### A\n\n#### B\n\n#### C');
    expect(written('#### A\n\n###### B')).toBe('#### A\n\n###### B');
  });

  it('shows HTML as text to readers that know it', () => {
    const html = new MarkdownIt({ html: true }).render(
      written('<script>alert(1)</script> x <b>y</b>\n\n<!-- z -->\n\n<div>'),
    );
    expect(html).not.toMatch(/<(?!\/?p>)/);
  });

  it('means what it meant', () => {
    const pieces = fc.constantFrom(
      ...Array.from('*_`~[]()<>!\\|#-+=.:"\'& \n\tab1'),
      'word ',
      '\n\n',
      '\n- ',
      '\n  - ',
      '\n1. ',
      '\n\n   ',
      '\n> ',
      '\n\n```\n',
      '**',
      '~~',
      '[^1]',
      '\n\n[^1]: note\n\n',
      '[x](https://a.example)',
      '[x]',
      '\n\n[x]: https://b.example "t"\n\n',
      '![i](https://a.example/i)',
      '\n\n| a | b |\n|:--|--:|\n| `c` | d\\|e |\n\n',
      '\n\n---\n\n',
      '\n\n# ',
      '\nx\n===\n',
      '\\*',
      '&amp;',
      '<b>',
      '<https://a.example/_b_>',
      ' https://a.example/?a=b&c ',
      'word  \nword',
      'word\\\nword',
      '\n\n    code\n\n',
      '\n7) ',
      ' a@b.example ',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 25 }), (list) => {
        const markdown = list.join('');
        // A note that is defined twice may refer to itself; empty items of lists in one another are a rule.
        fc.pre(markdown.split('[^1]:').length < 3);
        fc.pre(!/^[\s>]*(?:[-*] *){3,}$/m.test(written(markdown)));
        // Links within links are of no HTML.
        fc.pre(!/<a [^>]*>(?:(?!<\/a>).)*<a /.test(seen(markdown)));
        expect(shape(seen(written(markdown)))).toBe(shape(seen(markdown)));
      }),
      { numRuns: 2000 },
    );
  });
});

/**
 * HTML without what we change on purpose: the depth of headings and breaks in them, the end of code that is not closed,
 * the space between items of a list that is there for a definition or an empty one, and which of the marks of a note is its first: notes
 * come last, also those with a mark of themselves.
 */
function shape(html: string): string {
  return html
    .replaceAll(/<(\/?)h\d>/g, '<$1h>')
    .replaceAll(/<h>.*?<\/h>/g, (heading) =>
      heading
        .replaceAll(/(?: ?<br> ?)+/g, ' ')
        .replaceAll(/ +/g, ' ')
        .replace('<h> ', '<h>'),
    )
    .replaceAll(' </code>', '</code>')
    .replaceAll(/<li> <p>(.*?)<\/p>/g, '<li>$1')
    .replaceAll(' </li>', '</li>')
    .replaceAll(/(fnref\d+):\d+/g, '$1')
    .replaceAll(/\[(\d+):\d+\]/g, '[$1]')
    .trim();
}
