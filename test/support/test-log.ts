import { readableEvent } from '../../scripts/lib/events.ts';

/**
 * What of the Worker's log is shown beside the tests. It logs an event a line, and those of a hundred tests
 * hide what a test has to say; but what a tool stumbled over is what its author is looking for, and stays,
 * in words.
 *
 * @returns whether vitest shows it as it is
 */
export function showsLog(
  log: string,
  during: string,
  write: (text: string) => void = (text) => void process.stderr.write(text),
): boolean {
  for (const line of log.split('\n').filter((each) => each.startsWith('{"type":"tool_failed"')))
    write(`\n${readableEvent(line) ?? line}\n  during "${during}"\n\n`);
  return !log.startsWith('{"type":"');
}
