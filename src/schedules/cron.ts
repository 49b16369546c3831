import { Cron } from 'croner';

import { CarrelError } from '../lib/errors.ts';

/** Least minutes between two runs. */
export const MIN_MINUTES = 5;
const MAX_EXPRESSION_LENGTH = 200;

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const DAYS_OF_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** What stands for a number, the first for the least. */
  readonly words?: readonly string[];
}

const FIELDS: readonly Field[] = [
  { name: 'minute', least: 0, most: 59 },
  { name: 'hour', least: 0, most: 23 },
  { name: 'day of the month', least: 1, most: 31 },
  { name: 'month', least: 1, most: 12, words: MONTHS },
  // 7 is Sunday, as 0 is.
  { name: 'day of the week', least: 0, most: 7, words: DAYS },
];

/** When something runs: a cron expression in a time zone. */
export interface CronTimes {
  readonly cron: string;
  /** A name of the IANA database, such as `Europe/Berlin`. */
  readonly timeZone: string;
}

const wrong = (problem: string) => new CarrelError('invalid_input', `The cron expression does not fit: ${problem}.`);

/**
 * The next times (ms since the epoch) after another one, ascending; fewer where there are no more.
 *
 * Hours that are named are hours of the clock: a time that a change of the clocks leaves out comes once, right after
 * it, and one that comes twice counts once. With `*` for the hour what counts is the time that passes.
 */
export function timesAfter({ cron, timeZone }: CronTimes, after: number, count: number): number[] {
  const times = new Cron(forCroner(parse(cron)), {
    timezone: timeZone,
    mode: '5-part',
    // Lists of hours too are hours of the clock; the default is that for single ones only.
    fixedTimeRule: 'no-wildcard',
    paused: true,
  });
  return times.nextRuns(count, new Date(after)).map((each) => each.getTime());
}

/** @returns undefined where there is none */
export function timeAfter(times: CronTimes, after: number): number | undefined {
  return timesAfter(times, after, 1)[0];
}

/**
 * Checks when something shall run.
 *
 * @throws CarrelError `invalid_input` for what is no expression of five fields or no time zone, for times that never
 *   come, and for those that come more often than every {@link MIN_MINUTES} minutes
 */
export function checkTimes({ cron, timeZone }: CronTimes): void {
  if (!isTimeZone(timeZone))
    throw new CarrelError(
      'invalid_input',
      'There is no such time zone. Give a name of the IANA database, such as Europe/Berlin or UTC.',
    );
  const [minutes = [], hours = [], days = [], months = [], weekdays = []] = parse(cron);
  const anyWeekday = weekdays.length === 7;
  if (anyWeekday && !months.some((month) => days.some((day) => day <= (DAYS_OF_MONTHS[month - 1] ?? 0))))
    throw wrong('it never fires: there is no such day in those months');
  const gaps = minutes.slice(1).map((minute, index) => minute - (minutes[index] ?? 0));
  const isHourAfterHour = hours.some((hour) => hours.includes((hour + 1) % 24));
  if (isHourAfterHour) gaps.push(60 - (minutes.at(-1) ?? 0) + (minutes[0] ?? 0));
  if (gaps.some((gap) => gap < MIN_MINUTES)) throw wrong(`it fires more often than every ${MIN_MINUTES} minutes`);
}

function isTimeZone(name: string): boolean {
  // Offsets such as +02:00, which Intl takes too, know no summer time: nobody means them who asks for a zone.
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,2}$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** The numbers of each field, ascending. @throws CarrelError `invalid_input` */
function parse(cron: string): number[][] {
  const texts = cron.trim().split(/\s+/);
  if (cron.length > MAX_EXPRESSION_LENGTH || texts.length !== FIELDS.length)
    throw wrong('it must have five fields: minute, hour, day of the month, month, day of the week');
  return FIELDS.map((field, index) => {
    const numbers = (texts[index] ?? '').split(',').flatMap((part) => range(part, field));
    const isWeek = field.words === DAYS;
    return [...new Set(isWeek ? numbers.map((day) => day % 7) : numbers)].toSorted((a, b) => a - b);
  });
}

/** `7`, `mon`, `1-5`, `*`, and of the last two every nth: `0-30/10`. */
function range(part: string, field: Field): number[] {
  const { name, least, most } = field;
  const [, from, to, step] = /^(\*|\w+)(?:-(\w+))?(?:\/(\d{1,2}))?$/.exec(part) ?? [];
  const isWhole = from === '*';
  if (from === undefined || (isWhole && to !== undefined) || (step !== undefined && !isWhole && to === undefined))
    throw wrong(`its ${name} must be numbers, ranges such as 1-5, lists such as 1,3, or * (every nth: */n)`);
  const first = isWhole ? least : number(from, field);
  const last = isWhole ? most : to === undefined ? first : number(to, field);
  const every = step === undefined ? 1 : Number(step);
  if (last < first || every < 1) throw wrong(`its ${name} has a range that is empty`);
  return Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, index) => first + index * every);
}

function number(text: string, { name, least, most, words }: Field): number {
  const word = words?.indexOf(text.toLowerCase()) ?? -1;
  const value = word >= 0 ? word + least : /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw wrong(`its ${name} must be from ${least} to ${most}`);
  return value;
}

/** The same expression in few words of cron, so that what the library does with others is of no concern. */
function forCroner([minutes = [], hours = [], days = [], months = [], weekdays = []]: readonly number[][]): string {
  const written = (numbers: readonly number[], all: number) => (numbers.length === all ? '*' : numbers.join(','));
  return [minutes.join(','), written(hours, 24), written(days, 31), written(months, 12), written(weekdays, 7)].join(
    ' ',
  );
}
