import { wordsOf } from './words.ts';

/** Words and phrases of one query; what is beyond is left out. */
const MAX_TERMS = 20;
const WORDS_OF_PHRASE = 20;
const QUERY_CHARACTERS = 2000;
const NESTED = 10;
/** Of a word with `*`; what is shorter begins too many. */
const LEAST_PREFIX = 2;

/** A word or a phrase that is looked for. */
export interface Term {
  readonly words: readonly string[];
  /** The last of them is the beginning of one. */
  readonly prefix: boolean;
}

/** What the index is asked for. */
export interface Match {
  /** For FTS5. */
  readonly expression: string;
  /** What is to be shown where it was found: all of the query but what must not be there. */
  readonly terms: readonly Term[];
}

/**
 * What a person or a model typed, as FTS5 takes it: `word`, `"a phrase"`, `begin*`, `AND`, `OR`, `NOT` in capitals,
 * `-word`, parentheses. Words beside one another must all be there. What makes no sense is left out, so every query is one
 * that FTS5 takes.
 *
 * @returns undefined when it asks for no word
 */
export function matchOf(query: string): Match | undefined {
  const parser = new Parser(query.slice(0, QUERY_CHARACTERS));
  const expression = parser.parse();
  return expression === undefined ? undefined : { expression, terms: parser.terms };
}

type Token =
  | { readonly kind: 'open' | 'close' | 'AND' | 'OR' | 'NOT' }
  | { readonly kind: 'term'; readonly text: string; readonly prefix: boolean };

const TOKEN = /(-?)"([^"]*)(?:"(\*?)|$)|(-?[()])|([^\s()"]+)/g;

function* tokensOf(query: string): Generator<Token> {
  for (const [, minus, phrase, star, parenthesis, word = ''] of query.matchAll(TOKEN)) {
    if (parenthesis !== undefined) {
      if (parenthesis.startsWith('-')) yield { kind: 'NOT' };
      yield { kind: parenthesis.endsWith('(') ? 'open' : 'close' };
    } else if (phrase !== undefined) {
      if (minus === '-') yield { kind: 'NOT' };
      yield { kind: 'term', text: phrase, prefix: star === '*' };
    } else if (word === 'AND' || word === 'OR' || word === 'NOT') yield { kind: word };
    else {
      if (/^-[^-]/.test(word)) yield { kind: 'NOT' };
      yield { kind: 'term', text: word, prefix: word.endsWith('*') };
    }
  }
}

class Parser {
  readonly terms: Term[] = [];
  readonly #tokens: readonly Token[];
  #index = 0;
  #left = MAX_TERMS;

  constructor(query: string) {
    this.#tokens = [...tokensOf(query)];
  }

  parse(): string | undefined {
    const parts: string[] = [];
    // A parenthesis that closes nothing ends nothing.
    for (; this.#index < this.#tokens.length; this.#index++) {
      const part = this.#any(0, true);
      if (part !== undefined) parts.push(part);
    }
    return parts.length === 0 ? undefined : parts.join(' AND ');
  }

  /** Up to the end or a parenthesis that closes: all between two `OR`. */
  #any(depth: number, shown: boolean): string | undefined {
    const parts: string[] = [];
    for (;;) {
      const part = this.#all(depth, shown);
      if (part !== undefined) parts.push(part);
      if (this.#tokens[this.#index]?.kind !== 'OR') break;
      this.#index += 1;
    }
    return parts.length === 0 ? undefined : `(${parts.join(' OR ')})`;
  }

  #all(depth: number, shown: boolean): string | undefined {
    const wanted: string[] = [];
    const unwanted: string[] = [];
    let isUnwanted = false;
    for (; this.#index < this.#tokens.length; this.#index++) {
      const token = this.#tokens[this.#index];
      if (!token || token.kind === 'OR' || token.kind === 'close') break;
      if (token.kind === 'AND') continue;
      if (token.kind === 'NOT') {
        isUnwanted = true;
        continue;
      }
      const part =
        token.kind === 'term' ? this.#term(token, shown && !isUnwanted) : this.#group(depth, shown && !isUnwanted);
      if (part !== undefined) (isUnwanted ? unwanted : wanted).push(part);
      isUnwanted = false;
    }
    if (wanted.length === 0) return undefined;
    const all = `(${wanted.join(' AND ')})`;
    return unwanted.length === 0 ? all : `(${all} NOT (${unwanted.join(' OR ')}))`;
  }

  #group(depth: number, shown: boolean): string | undefined {
    if (depth === NESTED) return undefined;
    this.#index += 1;
    return this.#any(depth + 1, shown);
  }

  #term({ text, prefix }: Extract<Token, { kind: 'term' }>, shown: boolean): string | undefined {
    const words = wordsOf(text).slice(0, WORDS_OF_PHRASE);
    const last = words.at(-1);
    if (!last || this.#left === 0) return undefined;
    this.#left -= 1;
    // The pairs say the same without it, and need no search for beginnings, which is dear.
    if (last.last && words.length > 1 && words.at(-2)?.end === last.end) words.pop();
    const end = words.at(-1);
    const isPrefix = end?.last === true || (prefix && (end?.text.length ?? 0) >= LEAST_PREFIX);
    if (shown) this.terms.push({ words: words.map((word) => word.text), prefix: isPrefix });
    return `"${words.map((word) => word.text).join(' ')}"${isPrefix ? '*' : ''}`;
  }
}
