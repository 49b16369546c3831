import { declaredLabels, encodingNamed, markedEncoding } from '../../lib/charset.ts';

/** Bytes of the beginning in which HTML says how it is encoded. The standard has 1024, some pages say it later. */
const PRESCAN_BYTES = 4096;

/**
 * The text of a page. A byte order mark comes first, then UTF-8 if it is that, whatever is declared:
 * text in another encoding hardly ever is. Then what the header says, what the page says, and windows-1252,
 * as browsers do.
 *
 * @param declared the `charset` of the Content-Type header
 */
export function pageText(bytes: Uint8Array, declared: string | undefined): string {
  const marked = markedEncoding(bytes);
  if (marked !== undefined) return new TextDecoder(marked).decode(bytes);
  const labels = [...(declared === undefined ? [] : [declared]), ...declaredLabels(bytes, PRESCAN_BYTES)]
    .map(encodingNamed)
    .filter((name) => name !== undefined);
  // Its bytes are those of ASCII, and so UTF-8 in any case.
  const seven = labels.find((name) => name === 'iso-2022-jp');
  if (seven !== undefined && bytes.includes(0x1b)) return new TextDecoder(seven).decode(bytes);
  if (labels[0]?.startsWith('utf-16') === true && hasNulls(bytes)) return new TextDecoder(labels[0]).decode(bytes);
  const text = new TextDecoder().decode(bytes);
  if (isMostlyRight(text)) return text;
  const other = labels.find((name) => name !== 'utf-8' && !name.startsWith('utf-16'));
  return new TextDecoder(other ?? labels[0] ?? 'windows-1252').decode(bytes);
}

/** Whether of the characters that are not ASCII at most one in ten could not be read: some pages are cut or patched. */
function isMostlyRight(text: string): boolean {
  let wrong = 0;
  for (let at = text.indexOf('\uFFFD'); at !== -1; at = text.indexOf('\uFFFD', at + 1)) wrong += 1;
  if (wrong === 0) return true;
  const others = text.match(/[^\0-\x7F\uFFFD]+/g) ?? [];
  return wrong * 10 <= others.reduce((sum, run) => sum + run.length, 0);
}

/** Whether it may be UTF-16, in which markup has a zero beside each letter. */
function hasNulls(bytes: Uint8Array): boolean {
  return bytes.subarray(0, PRESCAN_BYTES).includes(0);
}
