import type { Name, PersonalName } from './model.ts';
import { isLiteral } from './names.ts';

/** Scripts that write the family name first and nothing between it and the given one. */
const EAST_ASIAN = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

function isEastAsian(name: PersonalName): boolean {
  return EAST_ASIAN.test(name.family) && (name.given === undefined || EAST_ASIAN.test(name.given));
}

/** `J.-P.` of `Jean-Paul`; `JP` when nothing stands behind a letter. */
export function initials(given: string, behind: '.' | ''): string {
  const words = given.split(/[\s.]+/).filter((word) => word !== '');
  return words
    .map((word) =>
      word
        .split(/[-‐]/)
        .filter((part) => part !== '')
        .map((part) => `${Array.from(part)[0]?.toLocaleUpperCase('en') ?? ''}${behind}`)
        .join(behind === '' ? '' : '-'),
    )
    .join(behind === '' ? '' : ' ');
}

/** The name by which a text cites somebody: `van der Berg`. */
export function shortName(name: Name): string {
  return isLiteral(name) ? name.literal : [name.particle, name.family].filter(Boolean).join(' ');
}

interface Shown {
  /** As it is written of `given`: in full, or its initials. */
  readonly given: (given: string) => string;
}

/** `Vincent van der Berg`, `M. L. King Jr.` */
export function inOrder(name: Name, { given }: Shown): string {
  if (isLiteral(name)) return name.literal;
  if (isEastAsian(name)) return `${name.family}${name.given ?? ''}`;
  return [name.given && given(name.given), shortName(name), name.suffix].filter(Boolean).join(' ');
}

interface Inverted extends Shown {
  readonly comma: ', ' | ' ';
  /** Where a particle goes: `van der Berg, Vincent`, or `Berg, Vincent van der`. */
  readonly particle: 'first' | 'last';
}

/** `King, Martin Luther, Jr.` */
export function inverted(name: Name, { given, comma, particle }: Inverted): string {
  if (isLiteral(name)) return name.literal;
  if (isEastAsian(name)) return `${name.family}${name.given ?? ''}`;
  const first = particle === 'first' ? shortName(name) : name.family;
  const behind = [name.given && given(name.given), particle === 'last' ? name.particle : undefined];
  return [first, behind.filter(Boolean).join(' '), name.suffix].filter(Boolean).join(comma);
}
