import { shellQuoted } from '../lib/shell.ts';

/**
 * A line for a POSIX shell that uploads a file of this name from the working directory. The name was
 * chosen by somebody else: quoted so that the shell runs nothing in it, with `./` so that curl takes
 * it neither for an option nor for standard input, and with globbing off so that `[1]` is no range.
 * Without `Expect`, because curl would wait a second for an answer that not every server gives.
 */
export function uploadCommand(name: string, url: string): string {
  return `curl --fail-with-body --globoff --header 'Expect:' --upload-file ${shellQuoted(`./${name}`)} ${shellQuoted(url)}`;
}
