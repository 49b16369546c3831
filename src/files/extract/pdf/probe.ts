/**
 * Where the objects of the probe are in {@link pdfProbe}: an annotation each, so that their order is
 * that of the page's annotations.
 */
export const PROBED_FILTERS = ['FlateDecode', 'DCTDecode', 'BrotliDecode'] as const;

/**
 * A PDF of one page that shows what pdf.js makes of it: a stream of each of {@link PROBED_FILTERS} as the
 * state of a text annotation, which pdf.js hands out as it is; a font with a character map of its own; and a
 * form, which the page draws.
 */
export function pdfProbe(): Uint8Array {
  // A stream whose first bytes are no zlib header is taken for an empty one.
  const streams = PROBED_FILTERS.map((filter) => `<</Filter/${filter}/Length 2>>\nstream\nx\u009C\nendstream`);
  const annotations = streams.map((_, index) => `<</Subtype/Text/Rect[0 0 1 1]/State ${index + 8} 0 R>>`);
  return pdf([
    '<</Type/Catalog/Pages 2 0 R>>',
    '<</Type/Pages/Kids[3 0 R]/Count 1>>',
    `<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<</Font<</F 5 0 R>>/XObject<</X 7 0 R>>>>/Contents 4 0 R/Annots[${annotations.join('')}]>>`,
    content('BT/F 9 Tf 1 1 Td<0041>Tj ET/X Do'),
    '<</Type/Font/Subtype/Type0/BaseFont/P/Encoding 6 0 R/DescendantFonts[<</Type/Font/Subtype/CIDFontType2/BaseFont/P/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor<</Type/FontDescriptor/FontName/P/Flags 4>>>>]>>',
    content('1 begincodespacerange<0000><ffff>endcodespacerange', '/Type/CMap/CMapName/P'),
    content('q Q', '/Type/XObject/Subtype/Form/BBox[0 0 9 9]'),
    ...streams,
  ]);
}

const content = (data: string, dictionary = '') =>
  `<<${dictionary}/Length ${data.length}>>\nstream\n${data}\nendstream`;

/** A file with these objects, numbered from 1; the first is the catalog. */
function pdf(objects: readonly string[]): Uint8Array {
  let file = '%PDF-1.7\n';
  const table = objects.map((object, index) => {
    const offset = file.length;
    file += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, '0')} 00000 n \n`;
  });
  const start = file.length;
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table.join('')}`;
  file += `trailer<</Size ${objects.length + 1}/Root 1 0 R>>\nstartxref\n${start}\n%%EOF`;
  return Uint8Array.from(file, (character) => character.charCodeAt(0));
}
