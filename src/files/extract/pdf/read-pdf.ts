import type { TextCollector } from '../collector.ts';
import { Stopped } from '../model.ts';
import type { ExtractionLimits } from '../model.ts';
import { Pace } from '../pace.ts';
import { loadPdfjs, openPdf } from './engine.ts';
import type { OpenPdf } from './engine.ts';
import { PdfMeter } from './meter.ts';
import { readOutline } from './outline.ts';

type Document = Awaited<OpenPdf['document']>;
type Page = Awaited<ReturnType<Document['getPage']>>;

/** After so many pages the fonts are let go; most pages use those of the page before. */
const PAGES_WITH_FONTS = 100;
/** How long a document that is given up may take to end, in ms. */
const CLOSING_MS = 1000;

/**
 * The pages of a PDF (ISO 32000), as pdf.js puts their text into lines. Fonts that name a character map of
 * Adobe's without bringing it have no text here: those maps are not part of the code.
 *
 * @throws Stopped `encrypted`, `malformed`, `too_large`, `too_slow`, `unsupported`
 */
export async function readPdf(
  bytes: Uint8Array,
  collector: TextCollector,
  limits: ExtractionLimits,
  pace: Pace,
): Promise<void> {
  const meter = new PdfMeter(limits, pace.deadline);
  const pdf = openPdf(await engine(), bytes, meter);
  try {
    await readPages(await opened(pdf, pace), collector, limits, pace, meter);
  } catch (thrown) {
    if (thrown instanceof Stopped) throw thrown;
    throw new Stopped(meter.exceeded ?? (meter.overflowed ? 'too_large' : 'malformed'), { cause: thrown });
  } finally {
    // What pdf.js is in the middle of ends when it next looks. It may have lost itself, and never look.
    await new Pace(CLOSING_MS).within(pdf.close()).catch(() => undefined);
  }
}

async function engine(): ReturnType<typeof loadPdfjs> {
  try {
    return await loadPdfjs();
  } catch (cause) {
    throw new Stopped('unsupported', { cause });
  }
}

async function opened({ document }: OpenPdf, pace: Pace): Promise<Document> {
  try {
    return await pace.within(document);
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'PasswordException') throw new Stopped('encrypted', { cause });
    throw cause;
  }
}

async function readPages(
  document: Document,
  collector: TextCollector,
  limits: ExtractionLimits,
  pace: Pace,
  meter: PdfMeter,
): Promise<void> {
  Object.assign(collector, await pace.within(saidOf(document)).catch(() => undefined));
  const count = Math.min(document.numPages, limits.pages);
  for (let number = 1; number <= count; number++) {
    await pace.step();
    collector.begin(String(number));
    try {
      const page = await pace.within(document.getPage(number));
      await readPage(page, collector, pace);
      page.cleanup();
    } catch (thrown) {
      if (thrown instanceof Stopped) throw thrown;
      collector.incomplete = true;
    }
    if (meter.exceeded !== undefined) throw new Stopped(meter.exceeded);
    // Nothing is lost when it is refused.
    if (number % PAGES_WITH_FONTS === 0) await pace.within(document.cleanup().catch(() => undefined));
  }
  // Behind the pages: one that takes all the time that is left takes no text with it.
  collector.outline = await readOutline(document, pace);
  if (meter.exceeded !== undefined) throw new Stopped(meter.exceeded);
  if (document.numPages > count || meter.overflowed) throw new Stopped('too_large');
}

async function readPage(page: Page, collector: TextCollector, pace: Pace): Promise<void> {
  const reader = page.streamTextContent().getReader() as ReadableStreamDefaultReader<{
    readonly items: readonly Item[];
  }>;
  try {
    for (;;) {
      // Between the pieces of a page others run, and pdf.js waits.
      await pace.step();
      const { done, value } = await pace.within(reader.read());
      if (done) return;
      for (const { str, hasEOL } of value.items) collector.add(hasEOL ? `${str}\n` : str);
    }
  } finally {
    // Without a reason pdf.js does not stop.
    reader.cancel(new Error('Enough')).catch(() => undefined);
  }
}

interface Item {
  readonly str: string;
  readonly hasEOL: boolean;
}

/** What the document information says, or else the XMP metadata. */
async function saidOf(document: Document): Promise<Pick<TextCollector, 'title' | 'author' | 'created'>> {
  const { info, metadata } = await document.getMetadata();
  const about = info as Readonly<Record<string, unknown>>;
  const said = (...values: unknown[]) =>
    values.find((value): value is string => typeof value === 'string' && value.trim() !== '');
  // `D:20240301…` (ISO 32000-2, 7.9.4).
  const [, year, month = '01', day = '01'] =
    /^D:(\d{4})(0[1-9]|1[0-2])?(0[1-9]|[12]\d|3[01])?/.exec(said(about['CreationDate']) ?? '') ?? [];
  return {
    title: said(about['Title'], metadata?.get('dc:title')),
    author: said(about['Author'], metadata?.get('dc:creator')),
    created: year === undefined ? undefined : `${year}-${month}-${day}`,
  };
}
