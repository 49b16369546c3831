import { asCarrelError, CarrelError } from '../lib/errors.ts';
import type { ErrorDetails } from '../lib/errors.ts';
import { shownLine } from '../lib/untrusted.ts';
import * as code from './engine/codes.ts';
import { SqliteError } from './engine/engine.ts';
import { BAD_ROWS_SUFFIX, MAX_SPILLED_BYTES, noSuchTable, QUERY_MILLISECONDS } from './model.ts';
import type { Dataset } from './model.ts';
import { nearestNames } from './nearest.ts';
import { isFunction, onlyReading } from './sql/policy.ts';

/** Characters of a name that is told back. */
const NAME_CHARACTERS = 60;

/** Columns that each side table of bad rows has. */
const BAD_ROW_COLUMNS = ['line', 'reason', 'text'];

/**
 * What SQLite refused, in our words: its own may quote data. Names are told back where they are the caller's own.
 *
 * @param tables all there are; `named` those that the statement names
 */
export function refusalOf(
  thrown: unknown,
  ended: { readonly stopped: boolean; readonly overdue: boolean },
  sql: string,
  tables: readonly Dataset[],
  named: readonly Dataset[],
): CarrelError {
  if (ended.stopped) return new CarrelError('conflict', 'The query was stopped.');
  if (ended.overdue)
    return new CarrelError(
      'too_large',
      'The query took too long and was ended. Filter more, aggregate, or import less.',
      {
        details: { seconds: QUERY_MILLISECONDS / 1000 },
      },
    );
  // The stack has an end, and so has the memory; whatever met it, the engine is thrown away.
  if (thrown instanceof RangeError || thrown instanceof WebAssembly.RuntimeError) return tooMuchMemory(thrown);
  if (!(thrown instanceof SqliteError)) return asCarrelError(thrown);
  switch (thrown.code) {
    case code.NOMEM:
    case code.TOOBIG:
      return tooMuchMemory(thrown);
    case code.FULL:
      return new CarrelError(
        'too_large',
        'The query sorts or groups more than there is room for. Filter more, or aggregate first.',
        {
          details: { limit: MAX_SPILLED_BYTES },
          cause: thrown,
        },
      );
    case code.AUTH:
    case code.READONLY:
      return forbidden(thrown);
    default:
      return unclear(thrown, sql, tables, named);
  }
}

function tooMuchMemory(cause: unknown): CarrelError {
  return new CarrelError(
    'too_large',
    'The query needs more memory than it may have. Make shorter texts, or filter more.',
    {
      cause,
    },
  );
}

function forbidden(cause: SqliteError): CarrelError {
  const called = /^not authorized to use function: (.*)$/s.exec(cause.message)?.[1];
  if (called === undefined) return onlyReading();
  return new CarrelError('forbidden', 'This function of SQLite may not be called here.', {
    details: { function: shownLine(called, NAME_CHARACTERS) },
  });
}

function unclear(cause: SqliteError, sql: string, tables: readonly Dataset[], named: readonly Dataset[]): CarrelError {
  const [, kind, name = ''] = /^no such (table|column|function): (.*)$/s.exec(cause.message) ?? [];
  // Of a name in double quotes it wonders whether that was to be text.
  const bare = name.replace(/ - should this be a string literal in single-quotes\?$/, '').replaceAll('"', '');
  const plain = shownLine(bare.split('.').at(-1) ?? '', NAME_CHARACTERS);
  if (kind === 'table')
    return noSuchTable(
      plain,
      nearestNames(
        plain,
        tables.map((table) => table.name),
      ),
    );
  if (kind === 'column') {
    const columns = named.flatMap((table) => [
      ...table.columns.map((column) => column.name),
      ...(sql.toLowerCase().includes(table.name + BAD_ROWS_SUFFIX) ? BAD_ROW_COLUMNS : []),
    ]);
    return invalid('There is no such column in the tables that the SQL names.', cause, {
      column: plain,
      ...nearest(plain, columns),
    });
  }
  if (kind === 'function' || cause.message.startsWith('unknown function: '))
    return invalid('SQLite has no such function, or it may not be called here.', cause, { function: plain });
  const ambiguous = /^ambiguous column name: (.*)$/s.exec(cause.message)?.[1];
  if (ambiguous !== undefined)
    return invalid('Several tables have this column: write which, as in flights.delay.', cause, {
      column: shownLine(ambiguous, NAME_CHARACTERS),
    });
  const wrongly = /^wrong number of arguments to function (\w+)\(\)$/.exec(cause.message)?.[1];
  if (wrongly !== undefined && isFunction(wrongly))
    return invalid('The function takes another number of arguments.', cause, { function: wrongly });
  if (cause.message.startsWith('LIKE or GLOB pattern too complex'))
    return new CarrelError('too_large', 'A pattern of LIKE or GLOB is too long.', { cause });
  if (/^misuse of (?:aggregate|window)/.test(cause.message))
    return invalid('An aggregate stands where none can: GROUP BY, HAVING or a subquery may help.', cause, {});
  return invalid('SQLite does not understand the SQL.', cause, placeOf(sql, cause.offset));
}

function invalid(message: string, cause: unknown, details: ErrorDetails): CarrelError {
  return new CarrelError('invalid_input', message, { details, cause });
}

function nearest(name: string, names: readonly string[]): ErrorDetails {
  const found = nearestNames(name, [...new Set(names)]);
  return found.length === 0 ? {} : { nearest: found.join(', ') };
}

/** What stands where SQLite stopped: it is the caller's own text. */
function placeOf(sql: string, offset: number): ErrorDetails {
  if (offset < 0) return {};
  const before = new TextDecoder().decode(new TextEncoder().encode(sql).subarray(0, offset));
  const near = shownLine(sql.slice(before.length, before.length + 40), 40);
  return { line: before.split('\n').length, ...(near === '' ? {} : { near }) };
}
