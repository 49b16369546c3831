import { oneLine } from '../../../files/extract/normalise.ts';

const NAME_CHARACTERS = 150;

/** What stands before a name and is no part of it. */
const BEFORE =
  /^(?:(?:written|posted|published|reported|story|words|text)\s+)?by[:\s]\s*|^(?:von|par|por|di|door|av|autor(?:in)?|author)(?::\s*|\s+(?=\p{Lu}))/iu;

/**
 * Names of authors, each once, in the order in which they are given. Several in one text are told apart by `;`,
 * `|`, `&` and `and`; by a comma only where each part is more than one word, because of `Doe, Jane`.
 */
export function namesIn(texts: readonly string[]): string[] {
  const names = texts.flatMap((text) => {
    // Below a name often stands what somebody is.
    const [first = ''] = text
      .slice(0, 20 * NAME_CHARACTERS)
      .trim()
      .split('\n', 1);
    const line = oneLine(first, 20 * NAME_CHARACTERS).replace(BEFORE, '');
    return split(line).map((name) => name.trim().replace(/[,;]+$/, ''));
  });
  const seen = new Set<string>();
  return names.filter((name) => {
    const key = name.toLowerCase();
    if (!isName(name) || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function split(line: string): string[] {
  if (line.includes('(')) return [line];
  const parts = line.split(/\s*[;|]\s*|\s+(?:&|and|und|et|y)\s+(?=\p{Lu})/u);
  return parts.flatMap((part) => {
    const byComma = part.split(/\s*,\s*/);
    return byComma.length > 1 && byComma.every((name) => /^\S+(?:\s+\S+)+$/.test(name)) ? byComma : [part];
  });
}

/** An address is what `article:author` often has, and some write a date or nothing there. */
function isName(text: string): boolean {
  return (
    text.length > 1 &&
    text.length <= NAME_CHARACTERS &&
    /\p{L}/u.test(text) &&
    !/^(?:https?:|www\.|@|\/\/)|\d{4}/i.test(text)
  );
}
