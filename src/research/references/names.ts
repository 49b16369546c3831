import type { Name, PersonalName } from './model.ts';

/** Words that stand between given and family name, in lower case. */
const PARTICLES: ReadonlySet<string> = new Set(
  "af al auf av bin binti da das de dei del della den der di do dos du el ibn la las le los ten ter 't van vom von y zu zum zur".split(
    ' ',
  ),
);
const SUFFIX = /^(?:jr|sr)\.?$|^(?:ii|iii|iv)$/i;
/** What an organisation is called, in languages that are often met. */
const ORGANISATION =
  /(?:^|[\s-])(?:academy|agency|agence|agentur|alliance|association|authority|bank|board|bureau|bundesamt|cent(?:er|re)|centro|college|comisión|commission|committee|community|company|consortium|contributors?|coop|corp(?:oration)?|council|department|desk|directorate|division|editors?|editorial|fédération|federation|foundation|fund|gesellschaft|gmbh|government|group|hochschule|inc|institut|institute|instituto|lab(?:oratory|s)?|league|library|llc|ltd|magazine|media|ministère|ministerio|ministerium|ministry|museum|network|news|newsroom|office|org(?:ani[sz]ation)?|organización|partnership|plc|press|project|redaktion|research|school|secretariat|service|society|staff|stiftung|studios?|syndicate|team|times|trust|union|universidad|università|universität|université|university|verein|wikipedia|works)(?:$|[\s.,-])/i;
const CJK = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u30FC\u30FB\u3005\s\u3000]+$/u;
/** Words of a person's name; what has more is a sentence or an organisation. */
const WORDS = 7;

/**
 * An author's name, taken apart where it is one of a person: `Jane Doe` and `Doe, Jane` are the same, `van der` before
 * a family name is its particle. What looks like an organisation, and a name of one word or without a space between
 * its Chinese, Japanese or Korean characters, stays whole. Undefined of an empty line.
 */
export function nameOf(line: string): Name | undefined {
  const text = line.normalize('NFC').replaceAll(/\s+/g, ' ').trim();
  if (text === '') return undefined;
  if (CJK.test(text)) return eastAsian(text);
  if (isOrganisation(text)) return { literal: text };
  const [family = '', ...others] = text.split(/\s*,\s*/);
  if (others.length === 0) return byOrder(text.split(' '));
  const suffix = others.find((part) => SUFFIX.test(part));
  const given = others.filter((part) => part !== suffix);
  // `John Smith, Jr.`
  if (given.length === 0) return withSuffix(byOrder(family.split(' ')), suffix);
  if (family === '' || given.length > 1 || given[0] === '') return { literal: text };
  return personal(family.split(' '), given[0]?.split(' ') ?? [], suffix);
}

function eastAsian(text: string): Name {
  const [family = '', given, ...more] = text.split(' ');
  if (given === undefined || more.length > 0) return { literal: text };
  return { family, given, particle: undefined, suffix: undefined };
}

function isOrganisation(text: string): boolean {
  const words = text.split(' ');
  return (
    (words.length === 1 && !text.includes(',')) ||
    words.length > WORDS ||
    /[&/@\d:()|]|^the\s|\s(?:of|for|and|für|pour|para)\s/i.test(text) ||
    ORGANISATION.test(text)
  );
}

/** Given names, particle, family name. */
function byOrder(words: readonly string[]): Name {
  const last = words.at(-1) ?? '';
  const suffix = words.length > 2 && SUFFIX.test(last) ? last : undefined;
  const names = suffix === undefined ? words : words.slice(0, -1);
  const particle = names.findIndex((word, index) => index > 0 && index < names.length - 1 && isParticle(word));
  const family = particle === -1 ? names.length - 1 : particle;
  return personal(names.slice(family), names.slice(0, family), suffix);
}

function isParticle(word: string): boolean {
  return PARTICLES.has(word) || /^(?:d|l|al|el)['’-]$/.test(word);
}

function personal(family: readonly string[], given: readonly string[], suffix: string | undefined): PersonalName {
  const begin = family.findIndex((word, index) => !isParticle(word) || index === family.length - 1);
  const particles = family.slice(0, begin);
  // `Beauvoir, Simone de`
  let end = given.length;
  if (begin === 0) while (end > 1 && isParticle(given[end - 1] ?? '')) end -= 1;
  const particle = [...given.slice(end), ...particles].join(' ');
  return {
    family: family.slice(begin).join(' '),
    given: given.slice(0, end).join(' ') || undefined,
    particle: particle || undefined,
    suffix,
  };
}

function withSuffix(name: Name, suffix: string | undefined): Name {
  return 'literal' in name ? name : { ...name, suffix };
}

export function isLiteral(name: Name): name is { readonly literal: string } {
  return 'literal' in name;
}
