import { dispositionParameter, percentDecoded } from '../lib/disposition-parameter.ts';
import { byteLength } from '../lib/encoding.ts';
import { hasHiddenText } from '../lib/hidden-text.ts';
import { MAX_NAME_BYTES, nameFault } from './names.ts';

/** What a name ends in, for types that pages and interfaces are served as: their addresses seldom say it. */
const ENDINGS: Readonly<Record<string, string>> = {
  'application/json': '.json',
  'application/pdf': '.pdf',
  'application/zip': '.zip',
  'image/gif': '.gif',
  'image/jpeg': '.jpg',
  'image/png': '.png',
  'image/svg+xml': '.svg',
  'image/webp': '.webp',
  'text/csv': '.csv',
  'text/html': '.html',
  'text/markdown': '.md',
  'text/plain': '.txt',
};

/**
 * A name for what an answer brought: what its Content-Disposition says (RFC 6266), or else the end of its address.
 * Both were chosen by a stranger, so what no file system should hold is left out of them.
 *
 * @param type its media type, for an ending where the name has none
 */
export function nameOfAnswer(disposition: string | null, url: URL, type: string | undefined): string {
  const segment = percentDecoded(url.pathname.split('/').findLast((each) => each !== '') ?? '');
  const named = [dispositionParameter(disposition ?? '', 'filename'), segment]
    .map((text) => cleaned(text ?? ''))
    .find((text) => nameFault(text) === undefined);
  const name = named ?? 'download';
  const ending = /\.[A-Za-z][A-Za-z0-9]{0,7}$/.test(name) ? '' : (ENDINGS[type ?? ''] ?? '');
  return nameFault(name + ending) === undefined ? name + ending : name;
}

/** The last name of a path, without what {@link nameFault} would find; it may still be none. */
function cleaned(text: string): string {
  const name = text
    .normalize('NFC')
    .slice(-1000)
    .replace(/^.*[/\\]/su, '');
  const visible = hasHiddenText(name)
    ? name.replaceAll(/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu, '')
    : name;
  return shortened(visible.trim()).replace(/[. ]+$/, '');
}

/** At most {@link MAX_NAME_BYTES}, and the ending kept. */
function shortened(name: string): string {
  const ending = /\.[A-Za-z0-9]{1,8}$/.exec(name)?.[0] ?? '';
  let stem = name.slice(0, name.length - ending.length);
  while (byteLength(stem) + ending.length > MAX_NAME_BYTES) stem = stem.replace(/.$/su, '');
  return stem + ending;
}
