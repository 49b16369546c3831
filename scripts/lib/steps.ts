import { inspect, stripVTControlCharacters } from 'node:util';

import { COLUMNS, faint, heading, MARKS, pad, strong, wrap } from './terminal.ts';

/** A step that came out otherwise than it must: what was expected and what came. */
export class Unexpected extends Error {
  override readonly name = 'Unexpected';
  readonly expected: string;
  readonly came: string;

  constructor(expected: string, came: string) {
    super(`expected ${expected}, but ${came} came`);
    this.expected = expected;
    this.came = came;
  }
}

/** Compares by content. @throws Unexpected */
export function mustBe(what: string, actual: unknown, expected: unknown): void {
  if (shown(actual) !== shown(expected))
    throw new Unexpected(`${what}: ${shown(expected)}`, `${what}: ${shown(actual)}`);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  return inspect(value, {
    depth: 8,
    breakLength: COLUMNS - 16,
    sorted: true,
    maxStringLength: 300,
    maxArrayLength: 30,
  });
}

export interface Step<Result> {
  /** A few words: the step's line begins with them. */
  readonly name: string;
  /** What must happen, as the report of a failure says it. */
  readonly expected: string;
  readonly run: () => Promise<Result>;
  /** A few words of what came of it, for the end of the line. */
  readonly note?: (result: Result) => string;
}

/** Ends a run of steps after one that failed; the failure has been printed. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
}

/**
 * Has an interruption leave nothing behind before it ends the script.
 *
 * @returns where {@link Steps} write until then: those that the interruption breaks are no failures
 */
export function untilInterrupted(leaveNothing: () => Promise<unknown>): (text: string) => void {
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      interrupted = true;
      void leaveNothing().finally(() => process.exit(1));
    });
  return (text) => {
    if (!interrupted) process.stdout.write(text);
  };
}

const NAME_COLUMNS = 31;

/** Whether a line can be taken back: a running step is shown, and its result in its place. */
const REWRITES = process.stdout.isTTY && process.env['TERM'] !== 'dumb';
const CLEAR_LINE = '\r\u001B[K';

/** Steps on a terminal: one line each, with its time; of one that fails, what was expected and what came. */
export class Steps {
  readonly #write: (text: string) => void;
  readonly #began = performance.now();
  #held = 0;
  #failed = 0;

  constructor(title: string, note: string, write: (text: string) => void = (text) => void process.stdout.write(text)) {
    this.#write = write;
    write(`${heading(title, note)}\n`);
  }

  /** Lines for the person between two steps. */
  say(...lines: readonly string[]): void {
    this.#write(lines.map((line) => (line === '' ? '\n' : `    ${line}\n`)).join(''));
  }

  /** @throws StepFailed once the failure has been printed */
  async step<Result>({ name, expected, run, note }: Step<Result>): Promise<Result> {
    const began = performance.now();
    if (REWRITES) this.#write(`  ${MARKS.todo()} ${faint(name)}`);
    try {
      const result = await run();
      this.#held += 1;
      this.#line(MARKS.done(), name, performance.now() - began, note?.(result) ?? '');
      return result;
    } catch (thrown) {
      this.#failed += 1;
      this.#line(MARKS.fault(), name, performance.now() - began, '');
      this.#explain(expected, thrown);
      throw new StepFailed(name, { cause: thrown });
    }
  }

  /** Prints how it ended. @returns the exit status */
  end(): 0 | 1 {
    const total = faint(`in ${time(performance.now() - this.#began)}`);
    const verdict =
      this.#failed === 0
        ? `All ${this.#held} steps held`
        : `${this.#failed} step${this.#failed === 1 ? '' : 's'} failed, ${this.#held} held`;
    this.#write(`\n  ${strong(verdict)} ${total}\n\n`);
    return this.#failed === 0 && this.#held > 0 ? 0 : 1;
  }

  #line(mark: string, name: string, milliseconds: number, note: string): void {
    const line = `${REWRITES ? CLEAR_LINE : ''}  ${mark} ${pad(name, NAME_COLUMNS)}${time(milliseconds).padStart(7)}`;
    this.#write(`${note === '' ? line : `${line}  ${faint(plain(note))}`}\n`);
  }

  #explain(expected: string, thrown: unknown): void {
    const unexpected = thrown instanceof Unexpected ? thrown : undefined;
    const parts = [
      ['expected', unexpected?.expected ?? expected],
      ['came', unexpected?.came ?? messageOf(thrown)],
    ] as const;
    const lines = parts.flatMap(([label, text]) =>
      plain(text)
        .split('\n')
        .flatMap((line) => (line.length > COLUMNS - 16 ? wrap(line, COLUMNS - 16) : [line]))
        .map((line, index) => `      ${faint((index === 0 ? label : '').padEnd(9))} ${line}`),
    );
    this.#write(`\n${lines.join('\n')}\n`);
  }
}

/** An error and all that caused it, the several of an AggregateError too. */
export function causesOf(thrown: unknown): unknown[] {
  if (!(thrown instanceof Error)) return [thrown];
  const errors: readonly unknown[] = thrown instanceof AggregateError ? thrown.errors : [];
  return [thrown, ...[thrown.cause, ...errors].filter((cause) => cause !== undefined).flatMap(causesOf)];
}

/** 12 ms, 1.4 s. */
function time(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** Without what a terminal would obey: some of the text was written by the deployment under test. */
function plain(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/(?!\n)\p{Cc}/gu, '');
}

/** An error in words, with what caused it: `fetch failed` alone helps nobody. */
function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return shown(thrown);
  // Some errors of Node have their whole text in a list of others, and none of their own.
  const own =
    thrown.message || (thrown instanceof AggregateError ? thrown.errors.map(messageOf).join('; ') : thrown.name);
  return thrown.cause === undefined ? own : `${own}\nbecause: ${messageOf(thrown.cause)}`;
}
