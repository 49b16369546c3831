import { COLUMNS, columns, faint, heading, MARKS, pad, strong, wrap } from '../terminal.ts';
import { BASELINE, FEW, MANY } from './cases.ts';
import { cpuRatio, median, rateRatio } from './rounds.ts';
import type { Series } from './rounds.ts';

/** What is wanted. Printed and never a failing test: a busy machine says nothing about the code. */
const LEAST_OF_ECHO = 0.5;
const MOST_FOR_MANY = 1.2;
const MOST_FOR_MANY_FILES = 1.5;
const MOST_FOR_MANY_JOBS = 1.2;

/** Cases that are measured in a small workspace and in a large one, and how much longer the large one may take. */
const COMPARED = [
  ['file-list', '100,000 files to 1,000', MOST_FOR_MANY_FILES],
  ['file-search', '100,000 files to 1,000', MOST_FOR_MANY_FILES],
  ['file-read', '100,000 files to 1,000', MOST_FOR_MANY_FILES],
  ['job-list', '1,000 finished jobs to 20', MOST_FOR_MANY_JOBS],
] as const;

const NAME_COLUMNS = 33;
const CELL_COLUMNS = [10, 17, 9, 7];

const whole = (value: number): string => Math.round(value).toLocaleString('en');
const factor = (value: number | undefined): string => (value === undefined ? '' : value.toFixed(value < 10 ? 2 : 1));

function row(name: string, cells: readonly string[]): string {
  const right = cells.map((cell, index) => ' '.repeat(Math.max(1, (CELL_COLUMNS[index] ?? 0) - columns(cell))) + cell);
  return `  ${pad(name, NAME_COLUMNS)}${right.join('')}`.trimEnd();
}

function line(all: readonly Series[], { measured, samples }: Series): string {
  const rates = samples.map(({ perSecond }) => perSecond);
  const cpu = median(samples.map((each) => each.cpu ?? Number.NaN));
  return row(measured.title, [
    strong(whole(median(rates))),
    faint(`${whole(Math.min(...rates))} – ${whole(Math.max(...rates))}`),
    Number.isNaN(cpu) ? '' : `${whole(cpu)} µs`,
    factor(rateRatio(all, measured.name, BASELINE)),
  ]);
}

function verdict(held: boolean, text: string, wanted: string): string {
  return `  ${held ? MARKS.done() : MARKS.warning()} ${pad(text, 62)}${faint(wanted)}`;
}

const indented = (text: string): string[] => wrap(text, COLUMNS - 4).map((each) => `  ${faint(each)}`);

/** What was measured, against what is wanted; empty where a case of it was left out. */
function verdicts(all: readonly Series[]): string[] {
  const ofEcho = rateRatio(all, FEW, BASELINE);
  const forMany = rateRatio(all, FEW, MANY);
  const byCpu = (name: string, to: string) => {
    const value = cpuRatio(all, name, to);
    return value === undefined ? '' : `, ${factor(value)} by CPU time`;
  };
  return [
    ...(ofEcho === undefined
      ? []
      : [
          verdict(
            ofEcho >= LEAST_OF_ECHO,
            `state_get to the SDK's own echo: ${factor(ofEcho)}${byCpu(FEW, BASELINE)}`,
            `at least ${LEAST_OF_ECHO}`,
          ),
        ]),
    ...(forMany === undefined
      ? []
      : [
          verdict(
            forMany <= MOST_FOR_MANY,
            `Time at 100,000 keys to that at 10: ${factor(forMany)}${byCpu(FEW, MANY)}`,
            `at most ${MOST_FOR_MANY}`,
          ),
        ]),
    ...COMPARED.flatMap(([name, sizes, most]) => {
      const ratio = rateRatio(all, name, `${name}-many`);
      if (ratio === undefined) return [];
      const text = `${name.replace('-', '_')} at ${sizes}: ${factor(ratio)}${byCpu(name, `${name}-many`)}`;
      return [verdict(ratio <= most, text, `at most ${most}`)];
    }),
  ];
}

/** The whole report, laid out for a terminal. */
export function renderBench(all: readonly Series[], { rounds, seconds }: { rounds: number; seconds: number }): string {
  const ours = all.filter(({ measured }) => measured.server === 'carrel');
  const peers = all.filter(({ measured }) => measured.server !== 'carrel');
  const group = (title: string, series: readonly Series[]) =>
    series.length === 0 ? [] : ['', `  ${faint(title)}`, ...series.map((each) => line(all, each))];
  const concluded = verdicts(all);
  return [
    heading('Requests a second', `medians of ${rounds} × ${seconds} s`),
    row('', ['median', 'from – to', 'CPU each', '× echo'].map(faint)),
    ...group('To compare with', peers),
    ...group('Carrel', ours),
    '',
    ...indented(
      'Of MCP 2026-07-28 where no year is named. CPU is that of the server, for one answer. A factor is the median of the rounds, each compared with the echo of the same round.',
    ),
    ...(concluded.length === 0 ? [] : ['', ...concluded]),
    '',
  ].join('\n');
}
