import { cut, normaliseText } from '../../files/extract/normalise.ts';
import { findArticle, withoutSurroundings } from './article.ts';
import { pageText } from './charset.ts';
import { takeFootnotes } from './footnotes.ts';
import type { Footnotes } from './footnotes.ts';
import { convertFormulas } from './formulas.ts';
import { writeMarkdown } from './markdown/write-markdown.ts';
import type { Written } from './markdown/write-markdown.ts';
import { completed, markedDate, readMetadata } from './metadata/read-metadata.ts';
import { PAGE_LIMITS } from './model.ts';
import type { NoPageReason, PageLimits, PageMetadata, PageReading, PageText, WebPage } from './model.ts';
import { shortenLinks, unwrapCodeTables } from './prepare.ts';
import { readTree } from './tree.ts';
import type { PageHead, PageTree } from './tree.ts';

const TYPES: ReadonlySet<string> = new Set(['text/html', 'application/xhtml+xml']);
/** Characters of an article that is no article: what Readability gives when it found nothing better. */
const SHORT = 200;

/**
 * The main content of a web page as Markdown, and what the page says about itself. The Markdown is normalised
 * ({@link normaliseText}).
 *
 * Whatever the bytes are, this neither throws nor goes beyond its limits: what was found when one was met is
 * given as truncated.
 */
export async function readPage(
  page: WebPage,
  options: { readonly limits?: Partial<PageLimits> } = {},
): Promise<PageReading> {
  const limits = { ...PAGE_LIMITS, ...options.limits };
  const { mediaType, charset } = typeOf(page.type);
  if (mediaType !== '' && !TYPES.has(mediaType)) return none('unsupported');
  if (page.bytes.byteLength > limits.inputBytes) return none('too_large');
  const html = pageText(page.bytes, charset);
  if (mediaType === '' && !LOOKS_LIKE_PAGE.test(html.slice(0, 1000))) return none('unsupported');
  if (isBinary(html)) return none('malformed');
  return read(html, page.url, limits);
}

const LOOKS_LIKE_PAGE = /<(?:!doctype\s+html|html|head|body|title|meta|article|main|div|p|h1)\b/i;

function typeOf(header: string): { mediaType: string; charset: string | undefined } {
  const [type = '', ...parameters] = header.slice(0, 500).split(';');
  const charset = parameters.map((parameter) => /^\s*charset\s*=\s*"?([^"\s]{1,40})/i.exec(parameter)?.[1]);
  return { mediaType: type.trim().toLowerCase(), charset: charset.find((name) => name !== undefined) };
}

/** A PDF or an image that is served as a page: no text has zeros, or so much that is none. */
function isBinary(html: string): boolean {
  const beginning = html.slice(0, 2000);
  return /^\s*%PDF-/.test(beginning) || (beginning.match(/[\0\uFFFD]/g) ?? []).length > beginning.length / 10;
}

function none(reason: NoPageReason): PageReading {
  return { kind: 'none', reason, metadata: undefined };
}

interface Grown {
  readonly tree: PageTree;
  readonly notes: Footnotes;
  readonly metadata: PageMetadata;
  readonly base: string;
}

async function grow(html: string, url: string, limits: PageLimits): Promise<Grown> {
  const tree = readTree(html, url, limits);
  const { document, head, formulas } = tree;
  const metadata = readMetadata(head, markedDate(document.body), url);
  const base = baseOf(head, url);
  document.documentURI = base;
  shortenLinks(document.body, [url, metadata.canonicalUrl]);
  unwrapCodeTables(document.body);
  await convertFormulas(document, formulas);
  return { tree, metadata, notes: takeFootnotes(document.body), base };
}

async function read(html: string, url: string, limits: PageLimits): Promise<PageReading> {
  const { tree, notes, metadata, base } = await grow(html, url, limits);
  const isTried = tree.work <= limits.work && hasWords(tree.document.body.textContent ?? '');
  const article = isTried ? findArticle(tree.document) : undefined;
  const main = article && writeMarkdown(article.content, notes, base, limits.characters);
  const result = (extent: PageText['extent'], { markdown, truncated }: Written): PageReading => {
    const said = completed(metadata, tree.head, article);
    const text = cut(normaliseText(markdown).trim(), limits.characters);
    if (!hasWords(text)) {
      const empty = tree.head.hasScripts ? 'needs_script' : 'no_text';
      return { kind: 'none', reason: tree.truncated ? 'too_large' : empty, metadata: said };
    }
    return {
      kind: 'page',
      markdown: text,
      extent,
      truncated: truncated || tree.truncated || text.length === limits.characters,
      metadata: said,
    };
  };
  if (main && main.markdown.length >= SHORT) return result('main', main);
  // Readability has taken the tree apart.
  const again = await grow(html, url, limits);
  const whole = writeMarkdown(withoutSurroundings(again.tree.document), again.notes, base, limits.characters);
  const [short, long] = [main?.markdown.length ?? 0, whole.markdown.length];
  return main && (long === 0 || (short <= long && long < 2 * short)) ? result('main', main) : result('whole', whole);
}

function hasWords(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}

function baseOf({ base }: PageHead, url: string): string {
  return (base === undefined ? undefined : URL.parse(base, url)?.href) ?? url;
}
