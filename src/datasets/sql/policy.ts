import { CarrelError } from '../../lib/errors.ts';
import { MAX_SQL_CHARACTERS } from '../model.ts';
import { tokensOf } from './tokens.ts';
import type { Token } from './tokens.ts';

/** Parentheses, and what else opens, within each other: SQLite would go as deep, on a stack that has an end. */
const DEEPEST = 100;
/** Pieces of a statement: a chain of operators is as deep as it is long. */
const MOST_TOKENS = 4000;

/** Functions that a statement may call. They compute what they give of what they get, in about as long as that is. */
const FUNCTIONS: ReadonlySet<string> = new Set(
  `-> ->> abs acos asin atan atan2 avg ceil ceiling char coalesce concat concat_ws cos count cume_dist current_date current_time
   current_timestamp date  datetime degrees dense_rank exp first_value floor format glob group_concat hex if ifnull iif instr json
   json_array json_array_length json_each json_extract json_group_array json_group_object json_object json_quote json_tree
   json_type json_valid julianday lag last_value lead length like likelihood likely ln log log2 log10 lower ltrim
   max median min mod nth_value ntile nullif octet_length percent_rank percentile pow power printf quote radians random
   rank replace round row_number rtrim sign sin sqrt stddev stdev strftime string_agg substr
   substring sum tan time timediff total trim trunc typeof unhex unicode unixepoch unlikely upper variance`.split(
    /\s+/,
  ),
);

/** Tables that are functions: they give rows of the JSON that they get. */
const TABLE_FUNCTIONS: ReadonlySet<string> = new Set(['json_each', 'json_tree']);

/** Actions of the authorizer (https://www.sqlite.org/c3ref/c_alter_table.html) that may be; all others may not. */
const ACTION = { read: 20, select: 21, function: 31 } as const;

/** What a statement names, as far as it can be said without parsing it. */
export interface Statement {
  /** Everything that may be the name of a table, in lower case. */
  readonly names: ReadonlySet<string>;
  /** Names that the statement itself gives to what it selects (`WITH … AS`), in lower case. */
  readonly own: ReadonlySet<string>;
}

/**
 * The first look at a statement: is it one, and none that would be refused anyway? What it may do is decided while SQLite
 * prepares it ({@link mayDo}), so that nothing depends on how it is written.
 *
 * @throws CarrelError `invalid_input`, `forbidden` for what is no reading, `too_large`
 */
export function lookAt(sql: string): Statement {
  if (sql.length > MAX_SQL_CHARACTERS)
    throw new CarrelError('too_large', 'The SQL is too long.', { details: { limit: MAX_SQL_CHARACTERS } });
  if (sql.includes('\0')) throw new CarrelError('invalid_input', 'The SQL has a character that is none.');
  const all = tokensOf(sql);
  while (all.at(-1)?.text === ';' && all.at(-1)?.kind === 'symbol') all.pop();
  const [first] = all;
  if (!first) throw new CarrelError('invalid_input', 'There is no SQL.');
  if (all.some(({ kind, text }) => kind === 'symbol' && text === ';'))
    throw new CarrelError('invalid_input', 'Only one statement at a time.');
  if (first.kind !== 'word' || !/^(?:select|with|values)$/i.test(first.text)) throw onlyReading();
  if (all.length > MOST_TOKENS || depthOf(all) > DEEPEST)
    throw new CarrelError('too_large', 'The SQL has too many parts, or too many within each other.');
  return { names: namesOf(all), own: ownNames(all) };
}

export function onlyReading(): CarrelError {
  return new CarrelError(
    'forbidden',
    'Only reading: one SELECT, also WITH and VALUES, over tables of `dataset_list`. It may not write, attach, recurse, or look at SQLite itself.',
  );
}

/**
 * Whether the statement that is being prepared may do something. For whoever asks, `table`, `column` or a function's name are
 * what SQLite found, whatever the statement calls it.
 *
 * @param tables those that may be read, in lower case
 * @param own see {@link Statement.own}
 */
export function mayDo(
  action: number,
  first: string,
  second: string,
  tables: ReadonlySet<string>,
  own: ReadonlySet<string>,
): boolean {
  switch (action) {
    case ACTION.select:
      return true;
    case ACTION.read: {
      const table = first.toLowerCase();
      if (tables.has(table) || TABLE_FUNCTIONS.has(table)) return true;
      // Of what a statement selects itself, rows may be counted; its columns are read where they come from.
      return second === '' && own.has(table) && !/^(?:sqlite|pragma|fts5|ps)_/.test(table);
    }
    case ACTION.function:
      return FUNCTIONS.has(second.toLowerCase());
    default:
      return false;
  }
}

/** Functions of a statement, for whoever is told that one may not be called. */
export function isFunction(name: string): boolean {
  return FUNCTIONS.has(name.toLowerCase());
}

function depthOf(tokens: readonly Token[]): number {
  let depth = 0;
  let deepest = 0;
  for (const { kind, text } of tokens) {
    if (kind === 'symbol' && text === '(') depth += 1;
    if (kind === 'symbol' && text === ')') depth -= 1;
    if (kind === 'word' && /^case$/i.test(text)) depth += 1;
    if (kind === 'word' && /^end$/i.test(text)) depth -= 1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

const mayName = ({ kind }: Token) => kind === 'word' || kind === 'quoted' || kind === 'text';

function namesOf(tokens: readonly Token[]): Set<string> {
  return new Set(tokens.filter(mayName).map(({ text }) => text.toLowerCase()));
}

/** `name AS (`, `name (a, b) AS MATERIALIZED (`. */
function ownNames(tokens: readonly Token[]): Set<string> {
  const own = new Set<string>();
  const is = (at: number, text: string) => tokens[at]?.text.toLowerCase() === text && tokens[at].kind !== 'quoted';
  for (const [index, token] of tokens.entries()) {
    if (!mayName(token)) continue;
    let at = index + 1;
    if (is(at, '(')) {
      while (at < tokens.length && !is(at, ')')) at += 1;
      at += 1;
    }
    if (!is(at, 'as')) continue;
    at += 1;
    if (is(at, 'not')) at += 1;
    if (is(at, 'materialized')) at += 1;
    if (is(at, '(')) own.add(token.text.toLowerCase());
  }
  return own;
}
