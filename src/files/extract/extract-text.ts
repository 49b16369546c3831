import { isTextType } from '../media-types.ts';
import { TextCollector } from './collector.ts';
import { decoded } from './decode.ts';
import { EXTRACTION_LIMITS, Stopped } from './model.ts';
import type { Extraction, ExtractionLimits, PartUnit } from './model.ts';
import { Pace } from './pace.ts';

export interface ExtractionOptions {
  /** Those that are other than {@link EXTRACTION_LIMITS}. */
  readonly limits?: Partial<ExtractionLimits>;
}

type Reader = (bytes: Uint8Array, collector: TextCollector, limits: ExtractionLimits, pace: Pace) => Promise<void>;

interface Format {
  readonly unit: PartUnit;
  /** Each is loaded when a file of its type is read: that for PDF alone has half a megabyte when gzipped. */
  readonly load: () => Promise<Reader>;
}

const HTML: Format = { unit: 'section', load: async () => (await import('./html.ts')).readHtml };
const MARKDOWN: Format = {
  unit: 'section',
  load: async () => {
    const { readMarkdown } = await import('./markdown.ts');
    return (bytes, collector, _limits, pace) => readMarkdown(bytes, collector, pace);
  },
};
const PLAIN: Format = { unit: 'text', load: async () => readPlain };

const FORMATS: ReadonlyMap<string, Format> = new Map([
  ['application/pdf', { unit: 'page', load: async () => (await import('./pdf/read-pdf.ts')).readPdf }],
  [
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    { unit: 'section', load: async () => (await import('./docx/read-docx.ts')).readDocx },
  ],
  ['text/html', HTML],
  ['application/xhtml+xml', HTML],
  ['text/markdown', MARKDOWN],
  ['text/x-markdown', MARKDOWN],
]);

/**
 * The text of a file, in parts: the pages of a PDF, the sections of a Word document, of HTML and of
 * Markdown, and one part for every other text. It is normalised ({@link normaliseText}).
 *
 * Whatever the bytes are, this neither throws nor goes beyond its limits: what was found when one was met
 * is given as truncated text. The bytes are read only, and may be those of anything.
 *
 * @param type media type; parameters are ignored
 */
export async function extractText(
  bytes: Uint8Array,
  type: string,
  options: ExtractionOptions = {},
): Promise<Extraction> {
  const limits = { ...EXTRACTION_LIMITS, ...options.limits };
  const format = formatOf(type.split(';', 1)[0]?.trim().toLowerCase() ?? '');
  if (!format) return { kind: 'none', reason: 'unsupported' };
  if (bytes.byteLength > limits.inputBytes) return { kind: 'none', reason: 'too_large' };
  const read = await format.load();
  const collector = new TextCollector(format.unit, limits);
  try {
    await read(bytes, collector, limits, new Pace(limits.milliseconds));
    return collector.finish(undefined);
  } catch (thrown) {
    // A parser that stumbles over bytes says no more than that they are wrong.
    return collector.finish(thrown instanceof Stopped ? thrown.reason : 'malformed');
  }
}

function formatOf(type: string): Format | undefined {
  return FORMATS.get(type) ?? (isTextType(type) ? PLAIN : undefined);
}

const readPlain: Reader = async (bytes, collector, _limits, pace) => {
  collector.begin('');
  for await (const piece of decoded(bytes, pace)) collector.add(piece);
};
