/** A web page as it was answered. */
export interface WebPage {
  readonly bytes: Uint8Array;
  /** The `Content-Type` header with its parameters; empty where there was none. */
  readonly type: string;
  /** The address that answered, after redirects: relative addresses and the canonical one are resolved against it. */
  readonly url: string;
}

/**
 * What a page says about itself, as one line of text each; nobody has checked any of it. Undefined where
 * it says nothing.
 */
export interface PageMetadata {
  readonly title: string | undefined;
  /** As the page writes them: some say `Jane Doe`, some `Doe, Jane`. */
  readonly authors: readonly string[];
  /** ISO 8601, as exact as the page is: `2024`, `2024-03`, `2024-03-01`, or with time and zone. */
  readonly published: string | undefined;
  readonly site: string | undefined;
  /** BCP 47. */
  readonly language: string | undefined;
  /** http or https. A page may name one of another host, which proves nothing. */
  readonly canonicalUrl: string | undefined;
  /** `10.1000/182`, in lower case: a DOI is the same in any case. */
  readonly doi: string | undefined;
  readonly description: string | undefined;
}

/**
 * Why there is no text.
 *
 * | reason         | meaning                                                           |
 * |----------------|-------------------------------------------------------------------|
 * | `no_text`      | it shows no words                                                 |
 * | `needs_script` | the same, but its scripts would write some                        |
 * | `unsupported`  | the type is that of something other than a page                   |
 * | `malformed`    | it is no text at all, whatever its type says                      |
 * | `too_large`    | more bytes than are read, or a limit was met before any words     |
 */
export type NoPageReason = 'no_text' | 'needs_script' | 'unsupported' | 'malformed' | 'too_large';

export interface PageText {
  readonly kind: 'page';
  /** GitHub's Markdown, with `$…$` and `$$…$$` for formulas and `[^1]` for footnotes. Links and images are absolute. */
  readonly markdown: string;
  /** `main`: what is around the article was left out. `whole`: no article was made out, so most of it is here. */
  readonly extent: 'main' | 'whole';
  /** A limit was met: the page may have more text. */
  readonly truncated: boolean;
  readonly metadata: PageMetadata;
}

export interface NoPageText {
  readonly kind: 'none';
  readonly reason: NoPageReason;
  /** Some pages without text say what they are. Undefined where nothing was read. */
  readonly metadata: PageMetadata | undefined;
}

export type PageReading = PageText | NoPageText;

/**
 * What the reading of one page may cost. A Worker cannot look at a clock while it computes, so time is
 * bounded by what there is to compute.
 */
export interface PageLimits {
  /** Bytes of the page. */
  readonly inputBytes: number;
  /** UTF-16 code units of Markdown. */
  readonly characters: number;
  /** UTF-16 code units of text that are kept of the page, what stands around the article too. */
  readonly text: number;
  /** Tags and pieces of text that a parser sees. */
  readonly events: number;
  /** Elements that are open at once, shown or not. A browser stops nesting at 512. */
  readonly open: number;
  /** Elements inside one another that are kept so; deeper ones are text of the deepest. */
  readonly depth: number;
  /** Elements that are kept. */
  readonly elements: number;
  /**
   * What finding the article may take, in terms of how often a pass over all subtrees and all lists of children
   * meets a node. A page that takes more is given whole.
   */
  readonly work: number;
}

export const PAGE_LIMITS: PageLimits = {
  inputBytes: 10_000_000,
  characters: 2_000_000,
  text: 2_500_000,
  events: 500_000,
  open: 2000,
  depth: 100,
  elements: 50_000,
  work: 500_000,
};
