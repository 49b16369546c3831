/** Bytes of a file's beginning that decide its type: enough for the first entries of an office document. */
export const HEAD_BYTES = 16 * 1024;

const UNKNOWN = 'application/octet-stream';

/** What a text file is by the end of its name. Everything else that is text is text/plain. */
const TEXT_BY_EXTENSION: Readonly<Record<string, string>> = {
  css: 'text/css',
  csv: 'text/csv',
  geojson: 'application/geo+json',
  htm: 'text/html',
  html: 'text/html',
  ipynb: 'application/x-ipynb+json',
  js: 'text/javascript',
  json: 'application/json',
  jsonl: 'application/x-ndjson',
  markdown: 'text/markdown',
  md: 'text/markdown',
  mjs: 'text/javascript',
  ndjson: 'application/x-ndjson',
  py: 'text/x-python',
  sql: 'application/sql',
  svg: 'image/svg+xml',
  toml: 'application/toml',
  ts: 'text/x-typescript',
  tsv: 'text/tab-separated-values',
  xml: 'application/xml',
  yaml: 'application/yaml',
  yml: 'application/yaml',
};

/** Formats that are recognised by two or three letters, with which a text may begin as well: "BMW is …". */
const WEAK_SIGNATURES: ReadonlySet<string> = new Set([
  'application/x-bzip2',
  'application/x-msdownload',
  'application/x-shockwave-flash',
  'audio/mpeg',
  'image/bmp',
  'model/stl',
]);

/** What a container may hold more precisely, by the container's type: a document format says more than `zip`. */
const REFINEMENTS: Readonly<Record<string, RegExp>> = {
  'application/zip': /\+zip$|^application\/(?:vnd\.(?:openxmlformats-|oasis\.|ms-|android\.)|java-archive$)/,
  'application/xml': /[/+]xml$/,
  'application/x-cfb': /^application\/(?:msword$|vnd\.ms-|vnd\.visio$)/,
};

/** Types that senders give when they know none. */
const SAYS_NOTHING: ReadonlySet<string> = new Set([UNKNOWN, 'application/x-www-form-urlencoded']);

/**
 * The media type of a file: what its bytes are recognised as, or else what was declared, or else,
 * for text, what its name ends in. A declaration never overrules the bytes.
 *
 * @param head the first {@link HEAD_BYTES} of the file, or all of it
 * @param declared a media type without parameters
 */
export async function recogniseType(head: Uint8Array, declared: string | undefined, name: string): Promise<string> {
  const isText = looksLikeText(head);
  const claim = declared === undefined || SAYS_NOTHING.has(declared) ? undefined : declared;
  const suffix = isText ? TEXT_BY_EXTENSION[/\.([a-z]{2,8})$/.exec(name.toLowerCase())?.[1] ?? ''] : undefined;
  // A malformed head may make a parser throw; then it is not of that format.
  // Loaded with the first file of an isolate: it is an eighth of the code, and most requests store none.
  const { fileTypeFromBuffer } = await import('file-type');
  const found = (await fileTypeFromBuffer(head).catch(() => undefined))?.mime;
  const signature = found === undefined || (isText && WEAK_SIGNATURES.has(found)) ? undefined : found;
  const guess = claim ?? suffix;
  if (signature !== undefined)
    return guess !== undefined && REFINEMENTS[signature]?.test(guess) === true ? guess : signature;
  return guess ?? (isText ? 'text/plain' : UNKNOWN);
}

/** Whether bytes from the beginning of a file are UTF-8 without the control characters that no text has. */
function looksLikeText(head: Uint8Array): boolean {
  if (head.some((byte) => byte < 0x20 && !(byte >= 0x07 && byte <= 0x0d) && byte !== 0x1b)) return false;
  try {
    // As a stream, because the last character may go on beyond the head.
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(head, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Whether a file of this type is an image that models take. */
export const isShownImage = (type: string) => /^image\/(?:gif|jpeg|png|webp)$/.test(type);

/** Whether a file of this type can be read as text. */
export function isTextType(type: string): boolean {
  return (
    type.startsWith('text/') ||
    /^application\/(?:x-)?(?:csv|ecmascript|graphql|httpd-php|javascript|json|jsonl|latex|ndjson|perl|python|sh|sql|tex|toml|typescript|xml|yaml)$/.test(
      type,
    ) ||
    /\+(?:json|xml|yaml)$/.test(type)
  );
}
