import type { ReportDocument } from '../../src/research/report/model.ts';
import { SAMPLES } from './references.ts';

/** Markdown of every kind, with citations. */
const EVERYTHING = `Intro text [@plain, p. 4] with *emphasis*, **strength**, ~~a mistake~~, \`code [@plain]\`, https://x.example/a_b,
me@x.example, <b>html</b> and \\*stars\\*. [@own]

- one [@two; @three]
- two
  - nested
  1. first
  2. second

5. five

6. six with a [link][ref], ![a picture](https://x.example/i.png) and [see [@plain]](https://x.example/)

> A quotation [@same-a]
>
> — who

| a | b \\| c |
|:--|--:|
| [@plain] | \`x\\|y\` |

\`\`\`js
const a = '[@plain]';
\`\`\`

A note[^1], and again[^1].

# Inner heading

@plain [p. 3] says so. <script>alert(1)</script> [x](javascript:alert(1))

---

[ref]: https://ref.example "A title"
[^1]: The note with [@junior].

    Its second paragraph.
`;

export function report(more: Partial<ReportDocument> = {}): ReportDocument {
  return {
    title: 'Of <bees> & *ants*',
    language: 'en',
    sections: [
      { heading: 'First & <last>', level: 1, markdown: EVERYTHING },
      { heading: 'Next', level: 2, markdown: 'Another note[^1] and [@gone].\n\n[^1]: Of the next section [@junior].' },
    ],
    references: SAMPLES,
    provenance: new Map([['plain', 'Fetched 2026-09-25 10:00 UTC, SHA-256 0123abcd']]),
    style: 'apa',
    createdAt: Date.UTC(2026, 8, 25),
    ...more,
  };
}
