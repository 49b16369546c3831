import { describe, expect, it } from 'vitest';

import { joined } from '../../src/lib/encoding.ts';
import { latin1, utf16le } from '../fixtures/files/bytes.ts';
import { docxFile, paragraph } from '../fixtures/files/docx.ts';
import { DOCX, onlyPart, partsOf, reasonOf, textOf } from '../fixtures/files/extracting.ts';
import { zipArchive } from '../fixtures/files/zip.ts';

describe('a Word document', () => {
  it('has sections below its headings, whatever the language of its styles', async () => {
    const body = [
      paragraph('Vorwort'),
      paragraph('Erstes Kapitel', 'berschrift1'),
      paragraph('Text &amp; <![CDATA[mehr]]>'),
      paragraph('Zweites Kapitel', 'Kapitel'),
      paragraph('im Kreis', 'Rund'),
      '<w:p><w:pPr><w:outlineLvl w:val="2"/></w:pPr><w:r><w:t>Drittes</w:t></w:r></w:p>',
      '<w:p><w:pPr><w:outlineLvl w:val="9"/></w:pPr><w:r><w:t>kein Titel</w:t></w:r></w:p>',
    ].join('');
    expect(await textOf(await docxFile({ body, title: 'Ein &lt;Titel&gt;' }), DOCX)).toEqual({
      kind: 'text',
      unit: 'section',
      parts: [
        { label: '', text: 'Vorwort' },
        { label: 'Erstes Kapitel', text: 'Erstes Kapitel\n\nText & mehr' },
        { label: 'Zweites Kapitel', text: 'Zweites Kapitel\n\nim Kreis' },
        { label: 'Drittes', text: 'Drittes\n\nkein Titel' },
      ],
      title: 'Ein <Titel>',
      truncated: false,
    });
  });

  it.each([
    [
      'tabs and breaks',
      '<w:p><w:pPr><w:tabs><w:tab w:val="left"/></w:tabs></w:pPr><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t></w:r></w:p>',
      'a\tb\nc-d',
    ],
    [
      'changes that were tracked',
      '<w:p><w:del><w:r><w:delText>no</w:delText></w:r></w:del><w:moveFrom><w:r><w:t>no</w:t></w:r></w:moveFrom><w:ins><w:r><w:t>yes</w:t></w:r></w:ins></w:p>',
      'yes',
    ],
    ['fields', '<w:p><w:r><w:instrText>PAGE \\* no</w:instrText></w:r><w:r><w:t>7</w:t></w:r></w:p>', '7'],
    [
      'text that is hidden',
      '<w:p><w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr><w:r><w:rPr><w:vanish/></w:rPr><w:t>no</w:t></w:r><w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t>yes</w:t></w:r></w:p>',
      'yes',
    ],
    [
      'what stands there twice for older programs',
      '<w:p><w:r><mc:AlternateContent><mc:Choice><w:txbxContent><w:p><w:r><w:t>box</w:t></w:r></w:p></w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent><w:p><w:r><w:t>box</w:t></w:r></w:p></w:txbxContent></mc:Fallback></mc:AlternateContent></w:r><w:r><w:t>around</w:t></w:r></w:p>',
      'box\naround',
    ],
    [
      'tables',
      `<w:tbl><w:tr><w:tc>${paragraph('a')}${paragraph('b')}</w:tc><w:tc>${paragraph('')}</w:tc><w:tc>${paragraph('c')}</w:tc></w:tr><w:tr><w:tc>${paragraph('d')}</w:tc></w:tr></w:tbl>${paragraph('after')}`,
      'a b\t\tc\nd\n\nafter',
    ],
    ['paragraphs that nobody closed', '<w:p><w:r><w:t>a</w:t></w:r><w:p><w:r><w:t>b', 'b\na'],
  ])('shows %s', async (_, body, expected) => {
    expect(await onlyPart(await docxFile({ body }), DOCX)).toBe(expected);
  });

  it('has its notes at the end', async () => {
    const footnotes = `<w:footnote w:type="separator"><w:p><w:r><w:separator/></w:r></w:p></w:footnote><w:footnote>${paragraph('a note', 'berschrift1')}</w:footnote>`;
    expect(await partsOf(await docxFile({ body: paragraph('text'), footnotes }), DOCX)).toEqual([
      ['', 'text'],
      ['Footnotes', 'a note'],
    ]);
  });

  it('is none of what is encrypted, broken, or of another kind', async () => {
    const compound = joined([Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1), new Uint8Array(600)]);
    expect(await reasonOf(compound, DOCX)).toBe('malformed');
    expect(await reasonOf(joined([compound, utf16le('EncryptedPackage')]), DOCX)).toBe('encrypted');
    expect(await reasonOf(await zipArchive([{ name: 'word/document.xml', data: 'x', encrypted: true }]), DOCX)).toBe(
      'encrypted',
    );
    const whole = await docxFile({ body: paragraph('text') });
    expect(await reasonOf(whole.slice(0, -30), DOCX)).toBe('malformed');
    expect(await reasonOf(await docxFile({ body: '' }), DOCX)).toBe('no_text');
    const broken = await zipArchive([{ name: 'word/document.xml', data: latin1('no deflate at all'), size: 100 }]);
    expect(await reasonOf(broken, DOCX)).toBe('malformed');
  });

  it('is inflated within bounds, of each and of all', async () => {
    const bytes = await docxFile({ body: paragraph('word '.repeat(1000)) });
    expect(await reasonOf(bytes, DOCX, { limits: { inflatedBytes: 5000 } })).toBe('too_large');
    expect(await reasonOf(bytes, DOCX, { limits: { entries: 3 } })).toBe('too_large');
    expect(await onlyPart(bytes, DOCX, { limits: { inflatedBytes: 10_000, entries: 4 } })).toMatch(/^word /);
  });
});
