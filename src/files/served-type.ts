/**
 * The Content-Type with which a file is served. What a browser would run or apply on our origin, if a
 * page could be made to refer to it, goes as bytes without a type; the index still tells the type.
 */
export function servedType(type: string): string {
  return /^text\/(?:html|css|xml|xsl|vbscript)$|(?:java|ecma|live|j)script|[/+]xml$|^multipart\//.test(type)
    ? 'application/octet-stream'
    : type;
}
