import { faint, heading, MARKS, pad, strong } from '../terminal.ts';
import { mean, share } from './page-corpus.ts';
import type { PageScore } from './page-corpus.ts';
import { median } from './rounds.ts';

export interface PageRow {
  readonly name: string;
  readonly bytes: number;
  readonly score: PageScore;
  /** ms until the answer is there. */
  readonly time: number;
  /** ms of CPU time of the server, where the system tells. */
  readonly cpu: number | undefined;
}

/** What is wanted. */
const WANTED = { f1: 0.9, recall: 0.93, title: 0.9, authors: 0.8, date: 0.8 } as const;
/** ms of CPU that a request may take on the free plan. */
const FREE_PLAN = 10;
const NAME_COLUMNS = 30;

/** The whole report, laid out for a terminal. @param first CPU ms of the first page in a Worker that has just started */
export function renderExtraction(rows: readonly PageRow[], first: number | undefined, rounds: number): string {
  return [
    heading('Pages', `means of ${rounds} readings, in workerd`),
    faint(
      `  ${pad('', NAME_COLUMNS)}${['KB', 'F1', 'recall', 'ms', 'CPU ms'].map((name) => name.padStart(8)).join('')}`,
    ),
    ...rows.map(pageLine),
    heading('Altogether', `${rows.length} pages`),
    summary('Words, F1', mean(rows.map(({ score }) => score.f1)), WANTED.f1),
    summary('Words, recall', mean(rows.map(({ score }) => score.recall)), WANTED.recall),
    summary('Titles', share(rows.map(({ score }) => score.title)), WANTED.title),
    summary('Authors, of those that have one', share(rows.map(({ score }) => score.authors)), WANTED.authors),
    summary('Dates, of those that have one', share(rows.map(({ score }) => score.date)), WANTED.date),
    ...cpuLines(rows, first),
    '',
  ].join('\n');
}

/** Whether the quality is as wanted; how long it takes depends on the machine. */
export function isAsWanted(rows: readonly PageRow[]): boolean {
  return (
    mean(rows.map(({ score }) => score.f1)) >= WANTED.f1 &&
    mean(rows.map(({ score }) => score.recall)) >= WANTED.recall &&
    (['title', 'authors', 'date'] as const).every((name) => share(rows.map(({ score }) => score[name])) >= WANTED[name])
  );
}

function pageLine({ name, bytes, score, time, cpu }: PageRow): string {
  const wrong = (['title', 'authors', 'date'] as const).filter((what) => score[what] === false);
  const cells = [
    (bytes / 1000).toFixed(0),
    score.f1.toFixed(3),
    score.recall.toFixed(3),
    time.toFixed(1),
    milliseconds(cpu),
  ];
  const note = wrong.length === 0 ? '' : `  ${faint(wrong.join(', '))}`;
  return `  ${pad(name.slice(0, NAME_COLUMNS - 1), NAME_COLUMNS)}${cells.map((cell) => cell.padStart(8)).join('')}${note}`;
}

function cpuLines(rows: readonly PageRow[], first: number | undefined): string[] {
  const known = rows.map(({ cpu }) => cpu).filter((cpu) => cpu !== undefined);
  if (known.length === 0) return [faint('  How much CPU time it takes is told by Linux only.')];
  const within = known.filter((cpu) => cpu <= FREE_PLAN).length;
  const middle = median(known);
  const larger = rows.flatMap(({ bytes, cpu }) => (cpu !== undefined && bytes > 10_000 ? [cpu] : []));
  return [
    line(
      'CPU of the median page',
      `${middle.toFixed(1)} ms`,
      middle <= FREE_PLAN,
      `at most ${FREE_PLAN} ms, the free plan's`,
    ),
    line(
      'And of those over 10 KB',
      `${median(larger).toFixed(1)} ms`,
      median(larger) <= FREE_PLAN,
      'a test page is small',
    ),
    line('Pages within 10 ms', `${within} of ${known.length}`, within * 2 >= known.length, 'at least half'),
    `  ${pad('The first page of a new Worker', 36)}${strong(`${milliseconds(first)} ms`.padStart(10))}   ${faint('with loading, before code is optimised')}`,
  ];
}

function summary(title: string, value: number, least: number): string {
  return line(title, value.toFixed(3), value >= least, `at least ${least}`);
}

function line(title: string, value: string, isGood: boolean, wanted: string): string {
  return `  ${pad(title, 36)}${strong(value.padStart(10))}   ${isGood ? MARKS.done() : MARKS.warning()} ${faint(wanted)}`;
}

const milliseconds = (value: number | undefined) => (value === undefined ? '–' : value.toFixed(1));
