/** A piece of SQL. `word` and `quoted` may name something; so may `text`, which SQLite takes for a name where one must be. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'text' | 'number' | 'parameter' | 'symbol';
  /** Without quotes. */
  readonly text: string;
}

const TOKEN = new RegExp(
  [
    String.raw`(?<space>\s+|--[^\n]*|/\*[\s\S]*?(?:\*/|$))`,
    String.raw`(?<quoted>"(?:[^"]|"")*"|${'`'}(?:[^${'`'}]|${'``'})*${'`'}|\[[^\]]*\])`,
    String.raw`(?<text>[xX]?'(?:[^']|'')*')`,
    String.raw`(?<number>(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?[\p{L}\d_]*)`,
    String.raw`(?<parameter>\?\d*|[:@$#][\p{L}\d_$]+)`,
    String.raw`(?<word>[\p{L}_\u0080-\u{10FFFF}][\p{L}\p{M}\d_$\u0080-\u{10FFFF}]*)`,
    String.raw`(?<symbol>[\s\S])`,
  ].join('|'),
  'gyu',
);

/** The pieces of SQL as SQLite cuts them, without comments. */
export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  for (const { groups = {} } of sql.matchAll(TOKEN)) {
    const { space, quoted, text, number, parameter, word, symbol } = groups;
    if (space !== undefined) continue;
    if (quoted !== undefined) tokens.push({ kind: 'quoted', text: unquoted(quoted) });
    else if (text !== undefined) tokens.push({ kind: 'text', text: text.startsWith("'") ? unquoted(text) : '' });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (parameter !== undefined) tokens.push({ kind: 'parameter', text: parameter });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word });
    else tokens.push({ kind: 'symbol', text: symbol ?? '' });
  }
  return tokens;
}

function unquoted(text: string): string {
  const quote = text.at(-1) ?? '';
  const inner = text.slice(1, -1);
  return quote === ']' ? inner : inner.replaceAll(quote + quote, quote);
}
