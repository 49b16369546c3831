import { faint, heading, MARKS, pad, strong } from '../terminal.ts';
import { median } from './rounds.ts';

/** MB a second of ours and of the Worker that only pipes, by turns within one round. */
export interface TransferRound {
  readonly up: number;
  readonly pipeUp: number;
  readonly down: number;
  readonly pipeDown: number;
}

/** What is wanted. Printed and never a failing test: a busy machine says nothing about the code. */
const LEAST_OF_PIPE = 0.9;

/** The whole report, laid out for a terminal. */
export function renderTransfers(rounds: readonly TransferRound[], megabytes: number): string {
  const line = (title: string, ours: keyof TransferRound, pipe: keyof TransferRound) => {
    const ratio = median(rounds.map((round) => round[ours] / round[pipe]));
    const rate = (name: keyof TransferRound) => `${median(rounds.map((round) => round[name])).toFixed(0)} MB/s`;
    return [
      `  ${pad(title, 12)}${strong(rate(ours).padStart(10))}${rate(pipe).padStart(14)}${ratio.toFixed(2).padStart(9)}`,
      `${ratio >= LEAST_OF_PIPE ? MARKS.done() : MARKS.warning()} ${faint(`at least ${LEAST_OF_PIPE}`)}`,
    ].join('   ');
  };
  return [
    heading('Throughput', `medians of ${rounds.length} × ${megabytes} MB, one stream`),
    faint(`  ${pad('', 12)}${'Carrel'.padStart(10)}${'only pipes'.padStart(14)}${'ratio'.padStart(9)}`),
    line('Upload', 'up', 'pipeUp'),
    line('Download', 'down', 'pipeDown'),
    '',
    faint('  A ratio is the median of the rounds, each compared with the other of the same round.'),
    '',
  ].join('\n');
}
