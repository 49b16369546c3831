import { normaliseEncoding } from '../addresses/percent.ts';

export interface RobotsRules {
  readonly rules: readonly RobotsRule[];
  /** Seconds between requests. No part of RFC 9309, and what many sites ask for all the same. */
  readonly crawlDelay?: number;
}

interface RobotsRule {
  readonly allow: boolean;
  readonly pattern: string;
}

/** Rules that are kept of one file: what is behind them is as if it were not there. */
const MAX_RULES = 5000;

interface Group {
  readonly rules: RobotsRule[];
  named: boolean;
  delay?: number;
}

/**
 * What a robots.txt says to a product (RFC 9309): all groups that name it are one; if none does, those of `*` are.
 * Lines of other kinds end no group, as the RFC has it.
 */
export function readRobots(text: string, product: string): RobotsRules {
  const own: Group = { rules: [], named: false };
  const everybody: Group = { rules: [], named: false };
  let current: Group[] = [];
  let naming = false;
  for (const { key, value } of linesOf(text)) {
    if (key === 'user-agent') {
      if (!naming) current = [];
      naming = true;
      const group = isFor(value, product) ? own : /^\*(?:\s|$)/.test(value) ? everybody : undefined;
      if (group && !current.includes(group)) current.push(group);
      if (group) group.named = true;
    } else if (key === 'allow' || key === 'disallow') {
      naming = false;
      for (const group of current) addRule(group, key === 'allow', value);
    } else if (key === 'crawl-delay' && /^\d{1,6}(?:\.\d{1,3})?$/.test(value))
      for (const group of current) group.delay = Math.max(group.delay ?? 0, Number(value));
  }
  const { rules, delay } = own.named ? own : everybody;
  return { rules, ...(delay !== undefined && { crawlDelay: delay }) };
}

function* linesOf(text: string): Generator<{ key: string; value: string }> {
  for (const line of text.split(/\r\n?|\n/)) {
    const [said = ''] = line.split('#', 1);
    const colon = said.indexOf(':');
    if (colon > 0) yield { key: said.slice(0, colon).trim().toLowerCase(), value: said.slice(colon + 1).trim() };
  }
}

/** `Carrel/1.0` names Carrel too: a version is no part of a product token. */
function isFor(value: string, product: string): boolean {
  return /^[\w-]+/.exec(value)?.[0].toLowerCase() === product.toLowerCase();
}

function addRule({ rules }: Group, allow: boolean, value: string): void {
  // An empty pattern matches nothing: `Disallow:` allows everything.
  if (value === '' || rules.length === MAX_RULES) return;
  rules.push({ allow, pattern: spelt(value).replaceAll(/\$(?!$)/g, '%24') });
}

/** Of the rules that match, the longest holds; of two that are as long, the one that allows (RFC 9309, section 2.2.2). */
export function isAllowed({ rules }: RobotsRules, { pathname, search }: URL): boolean {
  const path = spelt(pathname + search)
    .replaceAll('*', '%2A')
    .replaceAll('$', '%24');
  let longest: RobotsRule | undefined;
  for (const rule of rules) {
    const beaten = longest?.pattern.length ?? -1;
    const isBetter = rule.pattern.length > beaten || (rule.pattern.length === beaten && rule.allow);
    if (isBetter && matches(rule.pattern, path)) longest = rule;
  }
  return longest?.allow ?? true;
}

/** What is not ASCII percent-encoded, and what need not be encoded as itself. */
function spelt(text: string): string {
  return normaliseEncoding(text.toWellFormed().replaceAll(/[^\0-\x7F]+/g, encodeURIComponent));
}

/** `*` stands for any characters, `$` for the end. From left to right, each piece where it is first: no way back is needed. */
function matches(pattern: string, path: string): boolean {
  const anchored = pattern.endsWith('$');
  const [first = '', ...pieces] = (anchored ? pattern.slice(0, -1) : pattern).split('*');
  if (!path.startsWith(first)) return false;
  if (pieces.length === 0) return !anchored || path.length === first.length;
  const last = anchored ? (pieces.pop() ?? '') : '';
  let at = first.length;
  for (const piece of pieces) {
    const found = path.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return path.length - at >= last.length && path.endsWith(last);
}
