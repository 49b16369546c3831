import * as code from '../engine/codes.ts';
import type { Engine } from '../engine/engine.ts';

/** Numbers that aggregates of one statement may hold, all together. */
const MOST_HELD = 2_000_000;

/** @returns undefined for what is no number */
function numberOf(engine: Engine, value: number): number | undefined {
  const type = engine.call('sqlite3_value_numeric_type', value);
  return type === code.INTEGER || type === code.FLOAT ? engine.call('sqlite3_value_double', value) : undefined;
}

/** Of what is no number it is NULL. */
function giveNumber(engine: Engine, context: number, result: number): void {
  if (Number.isNaN(result)) engine.call('sqlite3_result_null', context);
  else engine.call('sqlite3_result_double', context, result);
}

/** SQLite's own functions (https://www.sqlite.org/lang_mathfunc.html) that this build has not, or computes otherwise. */
export function defineMathematics(engine: Engine): void {
  const define = (name: string, parameters: number, compute: (...numbers: number[]) => number) => {
    const call = (context: number, count: number, values: number): void => {
      const numbers: number[] = [];
      for (let index = 0; index < count; index++) {
        const value = engine.number(values + 4 * index);
        numbers.push(numberOf(engine, value) ?? Number.NaN);
      }
      giveNumber(engine, context, compute(...numbers));
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
  /** Of what is not positive it is NULL. */
  const positive = (number: number) => (number > 0 ? number : Number.NaN);
  define('ln', 1, (number = 0) => Math.log(positive(number)));
  define('log2', 1, (number = 0) => Math.log2(positive(number)));
  for (const name of ['log', 'log10']) define(name, 1, (number = 0) => Math.log10(positive(number)));
  for (const name of ['pow', 'power']) define(name, 2, (base = 0, exponent = 0) => base ** exponent);
  define('mod', 2, (left = 0, right = 0) => left % right);
  define('atan2', 2, (y = 0, x = 0) => Math.atan2(y, x));
  define('pi', 0, () => Math.PI);
  define('radians', 1, (degrees = 0) => (degrees * Math.PI) / 180);
  define('degrees', 1, (radians = 0) => (radians * 180) / Math.PI);
  define('ceiling', 1, (number = 0) => Math.ceil(number));
  for (const name of ['sqrt', 'exp', 'floor', 'ceil', 'trunc', 'sin', 'cos', 'tan', 'asin', 'acos', 'atan'] as const)
    define(name, 1, (number = 0) => Math[name](number));
}

interface Held {
  readonly numbers: number[];
  /** The second parameter. */
  share: number;
}

/** Aggregates that analysts expect and SQLite has not: sample variance and deviation, median, percentile (of 0 to 100). */
export function defineAggregates(engine: Engine): void {
  const held = new Map<number, Held>();
  let count = 0;
  const define = (name: string, parameters: number, compute: (held: Held) => number) => {
    const step = (context: number, _count: number, values: number): void => {
      const number = numberOf(engine, engine.number(values));
      if (number === undefined) return;
      const key = engine.call('sqlite3_aggregate_context', context, 8);
      if ((count += 1) > MOST_HELD || key === 0) return void engine.call('sqlite3_result_error_toobig', context);
      let group = held.get(key);
      if (!group) held.set(key, (group = { numbers: [], share: Number.NaN }));
      if (parameters === 2) group.share = (numberOf(engine, engine.number(values + 4)) ?? Number.NaN) / 100;
      group.numbers.push(number);
    };
    const final = (context: number): void => {
      const key = engine.call('sqlite3_aggregate_context', context, 0);
      const group = held.get(key);
      held.delete(key);
      count -= group?.numbers.length ?? 0;
      giveNumber(engine, context, group ? compute(group) : Number.NaN);
    };
    const { module, database } = engine;
    module.create_function(database, name, parameters, code.UTF8_DETERMINISTIC, 0, undefined, step, final);
  };
  define('median', 1, ({ numbers }) => quantile(numbers, 0.5));
  define('percentile', 2, ({ numbers, share }) => (share >= 0 && share <= 1 ? quantile(numbers, share) : Number.NaN));
  define('variance', 1, ({ numbers }) => variance(numbers));
  for (const name of ['stddev', 'stdev']) define(name, 1, ({ numbers }) => Math.sqrt(variance(numbers)));
}

/** Between two numbers, in proportion. */
function quantile(numbers: readonly number[], share: number): number {
  const sorted = Float64Array.from(numbers).toSorted();
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  return below + ((sorted[Math.ceil(at)] ?? below) - below) * (at - Math.floor(at));
}

/** Of a sample; none of fewer than two. */
function variance(numbers: readonly number[]): number {
  if (numbers.length < 2) return Number.NaN;
  let mean = 0;
  let squares = 0;
  for (const [index, number] of numbers.entries()) {
    const difference = number - mean;
    mean += difference / (index + 1);
    squares += difference * (number - mean);
  }
  return squares / (numbers.length - 1);
}
