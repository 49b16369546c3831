/** What the elements of a page are to us. Names are in lower case. */

/** Nothing of them is shown to a reader, or only where something else cannot be. */
const DROPPED: ReadonlySet<string> = new Set([
  'applet',
  'area',
  'audio',
  'base',
  'canvas',
  'datalist',
  'embed',
  'frame',
  'frameset',
  'iframe',
  'link',
  'map',
  'meta',
  // The glyphs of MathJax 3, beside which stands the formula itself.
  'mjx-math',
  'noembed',
  'noframes',
  'noscript',
  'object',
  'param',
  'portal',
  'progress',
  'rp',
  'script',
  'select',
  'style',
  'svg',
  'template',
  'textarea',
  'track',
  'video',
]);

/** What they hold stands where they do. */
const UNWRAPPED: ReadonlySet<string> = new Set([
  'font',
  'mjx-assistive-mml',
  'mjx-container',
  'nobr',
  'picture',
  'slot',
]);

/** Attributes that somebody asks for later: Readability, or what makes Markdown. */
export const KEPT_ATTRIBUTES: ReadonlySet<string> = new Set([
  'alt',
  'alttext',
  'aria-modal',
  'class',
  'colspan',
  'datetime',
  'display',
  'encoding',
  'epub:type',
  'href',
  'id',
  'itemprop',
  'name',
  'pubdate',
  'rel',
  'role',
  'rowspan',
  'src',
  'start',
]);

/** Attributes that decide about an element, or name an image that a script would load. */
export const READ_ATTRIBUTES: ReadonlySet<string> = new Set([
  ...KEPT_ATTRIBUTES,
  'aria-hidden',
  'checked',
  'content',
  'data-lang',
  'data-language',
  'data-lazy-src',
  'data-original',
  'data-src',
  'hidden',
  'http-equiv',
  'lang',
  'open',
  'property',
  'srcset',
  'style',
  'type',
]);

export type Attributes = Readonly<Record<string, string | undefined>>;

/** They may be hidden until a script has run, and hold the article. */
const NEVER_HIDDEN: ReadonlySet<string> = new Set(['html', 'body', 'main', 'article']);

const HIDING_STYLE = /(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse))\b/i;

/** What asks for consent, by the names that its makers give it. */
const CONSENT =
  /\bcookie[-_]?(?:alert|banner|bar|box|consent|dialog|disclaimer|law|message|modal|notice|notification|overlay|policy-banner|popup|wall)|\b(?:onetrust|cybotcookiebot|didomi|usercentrics|qc-cmp|truste[-_]|sp_message|gdpr-|cmplz-|iubenda-cs|osano-cm|fc-consent|cc-window|consent-(?:banner|manager|modal|popup))/i;

/** For machines, for screen readers, or beside what says the same. */
const BESIDE =
  /(?:^|\s)(?:katex-html|mwe-math-fallback-image-(?:inline|display)|mw-editsection|mw-cite-backlink|mw-jump-link|MathJax_Preview|sr-only|visually-?hidden|screen-reader-(?:text|only|response)|screenreader(?:-text|-only)?)(?:\s|$)/;

const LINE_NUMBERS =
  /(?:^|[\s_-])(?:gutter|line-?numbers?(?:-rows)?|linenos?|lnt|blob-num|ln-numbers|rouge-gutter)(?:\s|$)/i;

/** What becomes of an element and of what it holds. */
export type Fate = 'kept' | 'unwrapped' | 'dropped';

/** @param inside names of what is around it that decides about it */
export function fateOf(
  name: string,
  attributes: Attributes,
  inside: { readonly code: boolean; readonly heading: boolean },
): Fate {
  if (DROPPED.has(name)) return 'dropped';
  if (NEVER_HIDDEN.has(name)) return 'kept';
  const { class: classes = '', id = '', style } = attributes;
  if (isHidden(name, attributes, classes, style)) return 'dropped';
  if (classes !== '' && BESIDE.test(classes)) return 'dropped';
  if ((classes !== '' && CONSENT.test(classes)) || (id !== '' && CONSENT.test(id))) return 'dropped';
  if (classes !== '' && (inside.code || name === 'td' || name === 'pre') && LINE_NUMBERS.test(classes))
    return 'dropped';
  // The headings of a folding list are buttons.
  if (name === 'button') return inside.heading ? 'unwrapped' : 'dropped';
  if (UNWRAPPED.has(name)) return 'unwrapped';
  return name === 'span' && classes === '' && isPlain(attributes) ? 'unwrapped' : 'kept';
}

function isHidden(name: string, attributes: Attributes, classes: string, style: string | undefined): boolean {
  if (name === 'dialog' && attributes['open'] === undefined) return true;
  // Wikipedia hides the MathML and shows an image of it.
  if (classes.includes('mwe-math-mathml')) return false;
  if (attributes['hidden'] !== undefined && attributes['hidden'] !== 'until-found') return true;
  if (attributes['aria-hidden'] === 'true' && name !== 'img' && name !== 'math') return true;
  return style !== undefined && HIDING_STYLE.test(style);
}

function isPlain(attributes: Attributes): boolean {
  for (const name in attributes) if (KEPT_ATTRIBUTES.has(name)) return false;
  return true;
}

/** Elements that begin on a line of their own. */
export const BLOCKS: ReadonlySet<string> = new Set([
  'address',
  'article',
  'aside',
  'blockquote',
  'body',
  'center',
  'dd',
  'details',
  'dialog',
  'dir',
  'div',
  'dl',
  'dt',
  'fieldset',
  'figcaption',
  'figure',
  'footer',
  'form',
  'h1',
  'h2',
  'h3',
  'h4',
  'h5',
  'h6',
  'header',
  'hgroup',
  'hr',
  'legend',
  'li',
  'main',
  'menu',
  'nav',
  'ol',
  'p',
  'pre',
  'search',
  'section',
  'summary',
  'table',
  'tbody',
  'td',
  'tfoot',
  'th',
  'thead',
  'tr',
  'ul',
]);

export const HEADINGS: ReadonlySet<string> = new Set(['h1', 'h2', 'h3', 'h4', 'h5', 'h6']);
export const PREFORMATTED: ReadonlySet<string> = new Set(['listing', 'plaintext', 'pre', 'xmp']);
