import { extractText } from '../files/extract/extract-text.ts';
import type { Extraction } from '../files/extract/model.ts';
import { HEAD_BYTES, recogniseType } from '../files/media-types.ts';
import { sectionsOfMarkdown } from './headings.ts';
import type { OutlineEntry, Part, Reading } from './model.ts';
import type { PageMetadata } from './page/model.ts';
import { readPage } from './page/read-page.ts';

const NOTHING_SAID: PageMetadata = {
  title: undefined,
  authors: [],
  published: undefined,
  site: undefined,
  language: undefined,
  canonicalUrl: undefined,
  doi: undefined,
  description: undefined,
};

/** Between parts, where their texts are taken as one. */
const SEPARATOR = '\n\n';

/**
 * Reads what came of an address or a file: a page as Markdown of its main content, any other document as its text.
 * What it is, its bytes say, and only where they do not, the type that came with them.
 */
export async function readDocument(
  bytes: Uint8Array,
  type: string,
  url: string,
): Promise<Reading | { readonly reason: string }> {
  const said = type.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const recognised = await recogniseType(bytes.subarray(0, HEAD_BYTES), said === '' ? undefined : said, '');
  if (isPage(recognised) || isPage(said)) {
    const page = await readPage({ bytes, type, url });
    if (page.kind === 'none') return { reason: page.reason };
    const { markdown: text, metadata, truncated } = page;
    return { text, unit: 'section', ...sectionsOfMarkdown(text), metadata, truncated };
  }
  return asReading(await extractText(bytes, recognised));
}

const isPage = (type: string) => type === 'text/html' || type === 'application/xhtml+xml';

function asReading(extraction: Extraction): Reading | { readonly reason: string } {
  if (extraction.kind === 'none') return { reason: extraction.reason };
  const parts: Part[] = [];
  const texts: string[] = [];
  let start = 0;
  for (const { label, text } of extraction.parts) {
    parts.push({ label, start });
    texts.push(text);
    start += text.length + SEPARATOR.length;
  }
  const { unit, title, author, created, truncated } = extraction;
  return {
    text: texts.join(SEPARATOR),
    unit,
    parts,
    outline: unit === 'section' ? headingsOf(parts) : (extraction.outline ?? []),
    metadata: { ...NOTHING_SAID, title, authors: author === undefined ? [] : [author], published: created },
    truncated,
  };
}

function headingsOf(parts: readonly Part[]): OutlineEntry[] {
  return parts.flatMap(({ label }, index) => (label === '' ? [] : [{ title: label, level: 1, part: index + 1 }]));
}
