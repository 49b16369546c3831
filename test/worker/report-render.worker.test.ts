import { describe, expect, it } from 'vitest';

import { extractText } from '../../src/files/extract/extract-text.ts';
import { checkReport } from '../../src/research/report/check-report.ts';
import { renderDocx } from '../../src/research/report/render-docx.ts';
import { renderHtml } from '../../src/research/report/render-html.ts';
import { renderMarkdown } from '../../src/research/report/render-markdown.ts';
import { report } from '../support/reports.ts';

describe('a report in workerd', () => {
  it('is written as Markdown and as HTML', async () => {
    expect(renderMarkdown(report())).toContain('Intro text (Doe, 2024, p. 4) with *emphasis*');
    expect(await renderHtml(report({ style: 'numeric' }))).toContain(
      'Intro text [<a class="citation" href="#ref-plain">1, p. 4</a>]',
    );
  });

  it('is written as DOCX, which our own reader reads back', async () => {
    const type = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
    const extraction = await extractText(await renderDocx(report()), type);
    if (extraction.kind !== 'text') throw new Error(extraction.reason);
    expect(extraction.title).toBe('Of <bees> & *ants*');
    const labels = extraction.parts.map(({ label }) => label);
    expect(labels).toEqual(
      expect.arrayContaining(['First & <last>', 'Inner heading', 'Next', 'References', 'Footnotes']),
    );
    const text = extraction.parts.map((part) => part.text).join('\n');
    expect(text).toContain('Intro text (Doe, 2024, p. 4) with emphasis');
    expect(text).toContain('Of the next section (King, 1963).');
  });

  it('is checked', async () => {
    const markdown = 'Bees find their home by the sun. “Honey is sweet for all” [@plain]. 蜜蜂靠太阳找到回家的路。';
    const { findings } = await checkReport({
      outline: [],
      sections: [{ heading: 'One', level: 1, markdown }],
      sources: new Map([['plain', { title: 'Bees', state: 'kept', hasPassage: true }]]),
      standsIn: async () => false,
    });
    expect(findings.map(({ kind, excerpt }) => [kind, excerpt])).toEqual([
      ['claim_without_citation', 'Bees find their home by the sun.'],
      ['quote_not_found', 'Honey is sweet for all'],
      ['claim_without_citation', '蜜蜂靠太阳找到回家的路。'],
    ]);
  });
});
