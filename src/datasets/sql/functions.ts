import * as code from '../engine/codes.ts';
import type { Engine } from '../engine/engine.ts';

/** Characters that may be looked for in a text. */
const LONGEST_NEEDLE = 250;

/**
 * Puts others in the place of functions of SQLite that take as long as one text is long times another: a single call of
 * theirs could compute for minutes, and nothing can interrupt it.
 *
 * @param longest bytes of a text
 */
export function boundFunctions(engine: Engine, longest: number): void {
  const define = (name: string, parameters: number, compute: (...texts: string[]) => string | number | undefined) => {
    const call = (context: number, count: number, values: number): void => {
      const texts: string[] = [];
      for (let index = 0; index < count; index++) {
        const value = engine.number(values + 4 * index);
        const at = engine.call('sqlite3_value_text', value);
        // Of NULL they are NULL.
        if (at === 0) return void engine.call('sqlite3_result_null', context);
        texts.push(decoder.decode(engine.bytes.subarray(at, at + engine.call('sqlite3_value_bytes', value))));
      }
      const result = compute(...texts);
      if (result === undefined) engine.call('sqlite3_result_error_toobig', context);
      else if (typeof result === 'number') engine.call('sqlite3_result_int', context, result);
      else {
        const bytes = encoder.encode(result);
        const at = engine.call('sqlite3_malloc', bytes.length + 1);
        if (at === 0) return void engine.call('sqlite3_result_error_nomem', context);
        engine.bytes.set(bytes, at);
        // SQLite makes a copy of it.
        engine.call('sqlite3_result_text', context, at, bytes.length, -1);
        engine.free(at);
      }
    };
    engine.module.create_function(
      engine.database,
      name,
      parameters,
      code.UTF8_DETERMINISTIC,
      0,
      call,
      undefined,
      undefined,
    );
  };

  define('instr', 2, (text = '', needle = '') => {
    if (needle.length > LONGEST_NEEDLE) return undefined;
    const at = text.indexOf(needle);
    return at < 0 ? 0 : characters(text, at) + 1;
  });
  define('replace', 3, (text = '', needle = '', other = '') => {
    if (needle === '') return text;
    if (needle.length > LONGEST_NEEDLE) return undefined;
    let grows = 0;
    for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + needle.length))
      if ((grows += other.length - needle.length) + text.length > longest) return undefined;
    return text.replaceAll(needle, () => other);
  });
  const trims = (name: string, left: boolean, right: boolean) =>
    define(name, 2, (text = '', characterSet = '') => {
      const set = new Set(characterSet);
      const all = Array.from(text);
      const isKept = (character: string) => !set.has(character);
      const from = left ? all.findIndex(isKept) : 0;
      return from < 0 ? '' : all.slice(from, right ? all.findLastIndex(isKept) + 1 : undefined).join('');
    });
  trims('trim', true, true);
  trims('ltrim', true, false);
  trims('rtrim', false, true);
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** As SQLite counts them: code points, before a place in code units. */
function characters(text: string, before: number): number {
  let count = 0;
  for (let at = 0; at < before; at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) count += 1;
  return count;
}

/** The run-time limits of a statement that a stranger wrote. */
export function setLimits(engine: Engine, longest: number): void {
  const limits: Readonly<Record<keyof typeof code.LIMIT, number>> = {
    length: longest,
    sqlLength: 100_000,
    column: 2000,
    exprDepth: 1000,
    compoundSelect: 50,
    vdbeOps: 250_000,
    functionArguments: 100,
    attached: 10,
    likePattern: 100,
    variables: 1000,
    triggerDepth: 0,
    workers: 0,
  };
  for (const [name, value] of Object.entries(limits))
    engine.call('sqlite3_limit', engine.database, code.LIMIT[name as keyof typeof code.LIMIT], value);
}
