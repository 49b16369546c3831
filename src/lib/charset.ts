/** The encoding that a byte order mark names. */
export function markedEncoding(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8';
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return undefined;
}

/**
 * What HTML or XML says of its encoding at its beginning: the declaration of XML, then `<meta charset>`.
 *
 * @param within how many bytes
 */
export function declaredLabels(bytes: Uint8Array, within: number): string[] {
  const head = String.fromCharCode(...bytes.subarray(0, within));
  return [
    /^\s*<\?xml\s[^>]{0,100}?\bencoding\s*=\s*["']([\w.:-]{1,40})["']/i.exec(head)?.[1],
    /<meta\s[^>]{0,200}?\bcharset\s*=\s*["']?\s*([\w.:-]{1,40})/i.exec(head)?.[1],
  ].filter((label) => label !== undefined);
}

/** The name that TextDecoder has for a label; undefined for one that it does not know. */
export function encodingNamed(label: string): string | undefined {
  try {
    return new TextDecoder(label.trim()).encoding;
  } catch {
    return undefined;
  }
}
