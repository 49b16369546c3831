import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { extractText } from '../../src/files/extract/extract-text.ts';
import { utf8 } from '../../src/lib/encoding.ts';
import { latin1 } from '../fixtures/files/bytes.ts';
import { docxFile, paragraph } from '../fixtures/files/docx.ts';
import { DOCX, PDF } from '../fixtures/files/extracting.ts';
import { encryptedPdf, shows, textPdf } from '../fixtures/files/pdf.ts';

describe('bytes of anybody', () => {
  const types = [PDF, DOCX, 'text/html', 'text/markdown', 'application/xml', 'text/plain'];
  const limits = { milliseconds: 2000, inflatedBytes: 1_000_000 };

  it('never make it throw', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.constantFrom(...types), async (bytes, type) => {
        expect((await extractText(bytes, type, { limits })).kind).toMatch(/^(?:text|none)$/);
      }),
      { numRuns: 300 },
    );
  });

  it('never make it throw where they were a document once', async () => {
    const documents = [
      [PDF, textPdf([['some text'], ['more of it']], { info: '<</Title(A title)>>' })],
      [PDF, encryptedPdf(latin1(shows('locked and open')), '')],
      [DOCX, await docxFile({ body: paragraph('One', 'berschrift1') + paragraph('two'), title: 'A title' })],
      ['text/html', utf8('<title>t</title><h1>a</h1><div hidden><p>b</div><pre>c</pre>')],
    ] as const;
    const change = fc.record({ at: fc.nat(10_000), byte: fc.nat(255), cut: fc.option(fc.nat(10_000), { freq: 5 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...documents),
        fc.array(change, { minLength: 1, maxLength: 8 }),
        async ([type, document], changes) => {
          let bytes = document.slice();
          for (const { at, byte, cut } of changes) {
            bytes[at % bytes.length] = byte;
            if (cut !== null) bytes = bytes.slice(0, 1 + (cut % bytes.length));
          }
          expect((await extractText(bytes, type, { limits })).kind).toMatch(/^(?:text|none)$/);
        },
      ),
      { numRuns: 400 },
    );
  });
});
