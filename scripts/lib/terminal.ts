import { stripVTControlCharacters, styleText } from 'node:util';

/** Lines are laid out for this many columns, whatever the window: they are also read in logs. */
export const COLUMNS = 80;

type Format = Parameters<typeof styleText>[0];

/** Styles text for stdout; plain when stdout is no terminal or NO_COLOR is set. */
export function style(format: Format, text: string): string {
  return styleText(format, text, { stream: process.stdout });
}

/** What a person may copy, type or look for. */
export const strong = (text: string): string => style(['bold'], text);
export const link = (text: string): string => style(['cyan'], text);
export const faint = (text: string): string => style(['dim'], text);

export const MARKS = {
  done: (): string => style('green', '✔'),
  same: (): string => style('dim', '·'),
  todo: (): string => style('cyan', '→'),
  warning: (): string => style('yellow', '!'),
  fault: (): string => style('red', '✘'),
} as const;

/** True when colours reach the reader, so that a child process may use them too. */
export function coloured(): boolean {
  return style('red', 'x') !== 'x';
}

/** How many columns the text takes, without its styles. */
export function columns(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** Pads styled text on the right. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - columns(text)));
}

// `npm run x`, with `-- --option` and its value behind it: whoever copies a command gets all of it.
const COMMAND =
  /\b(?:npm (?:ci|start|run [\w:]+)|npx wrangler \w+)(?: -- --[\w-]+(?: (?:\d+|https?:\/\/[^\s,]+|<\w+>))?| -- <\w+>)?/g;
const KEPT_SPACE = '\u0000';

/** Breaks a paragraph between words and never within a command; no line is longer than `width` unless one of them is. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  const words = text.replaceAll(COMMAND, (command) => command.replaceAll(' ', KEPT_SPACE)).split(/\s+/);
  for (const glued of words) {
    const word = glued.replaceAll(KEPT_SPACE, ' ');
    if (line !== '' && columns(line) + 1 + columns(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  if (line !== '') lines.push(line);
  return lines;
}

/** A paragraph, indented, that fits {@link COLUMNS}. */
export function paragraph(text: string, indent = 2): string {
  const space = ' '.repeat(indent);
  return wrap(text, COLUMNS - indent)
    .map((line) => space + line)
    .join('\n');
}

/** A title with a rule under it. */
export function heading(title: string, note = ''): string {
  const text = `${strong(title)}${note === '' ? '' : `  ${faint(note)}`}`;
  return `\n  ${text}\n  ${faint('─'.repeat(COLUMNS - 4))}`;
}

/**
 * Ends the process with one sentence on stderr: what is wrong and what to do. For failures that were
 * foreseen; a bug should keep its stack trace.
 */
export class Stop extends Error {
  override readonly name = 'Stop';
  /** How the command is used, laid out; shown under the sentence. */
  readonly usage: string;

  constructor(message: string, usage = '') {
    super(message);
    this.usage = usage;
  }
}

/** What was wrong with the arguments, and the usage under it. */
export function wrongUsage(problem: unknown, usage: string): Stop {
  const text = problem instanceof Error ? `${problem.message.split(/\.(?: |$)/)[0]}.` : String(problem);
  return new Stop(text, usage);
}

/** What `read` makes of the arguments. @throws Stop with the usage when it cannot read them */
export function withUsage<Result>(usage: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw wrongUsage(error, usage);
  }
}

/** The value of an option that takes a whole number. @throws Stop with the usage */
export function wholeNumber(option: string, value: string, most: number, usage: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > most)
    throw wrongUsage(`--${option} takes a whole number from 1 to ${most}.`, usage);
  return number;
}

/** For a script without arguments: answers --help. @throws Stop on anything else */
export function onlyHelp(usage: string, args: readonly string[] = process.argv.slice(2)): boolean {
  const unknown = args.find((argument) => argument !== '--help' && argument !== '-h');
  if (unknown !== undefined) throw wrongUsage(`It takes no ${unknown}.`, usage);
  if (args.length > 0) process.stdout.write(`${usage}\n`);
  return args.length > 0;
}

/** Runs a script's main function; a {@link Stop} is shown as its sentence and ends with status 1. */
export async function runScript(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (thrown) {
    if (!(thrown instanceof Stop)) throw thrown;
    const mark = styleText('red', '✘', { stream: process.stderr });
    // What begins with a space is laid out already.
    const lines = thrown.message
      .split('\n')
      .flatMap((line) => (line.startsWith(' ') ? [line] : wrap(line, COLUMNS - 4)));
    process.stderr.write(`\n  ${mark} ${lines.join('\n    ')}\n${thrown.usage}\n`);
    process.exitCode = 1;
  }
}
