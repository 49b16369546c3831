/**
 * A parameter of a Content-Disposition (RFC 6266, RFC 7578), as it is written in practice: the extended form before
 * the plain one, quoted or not, and nothing escaped in quotes but quotes. Windows paths come unescaped, so a backslash
 * before anything else is itself.
 */
export function dispositionParameter(header: string, name: 'name' | 'filename'): string | undefined {
  const extended = new RegExp(String.raw`;\s*${name}\*\s*=\s*"?utf-8'[^']*'([^;"]*)`, 'i').exec(header)?.[1];
  if (extended !== undefined) return percentDecoded(extended.trim());
  const quoted = new RegExp(String.raw`;\s*${name}\s*=\s*"((?:[^"\\]|\\.)*)"`, 'i').exec(header)?.[1];
  if (quoted !== undefined) return quoted.replaceAll(String.raw`\"`, '"');
  return new RegExp(String.raw`;\s*${name}\s*=\s*([^;]*)`, 'i').exec(header)?.[1]?.trim();
}

/** As it stands where it is no percent-encoding of UTF-8. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
