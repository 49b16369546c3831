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

/**
 * Lines for a POSIX shell that upload a file in parts, one after another, leaving out those that are there: run
 * again after whatever broke it off. Each part is cut by `dd` and sent from standard input.
 */
export function partsCommand(name: string, url: string, partSize: number, parts: number): string {
  const [file, address] = [shellQuoted(`./${name}`), shellQuoted(url)];
  return [
    `there=$(curl --fail-with-body --silent --globoff ${address}) || exit`,
    `for n in $(seq 1 ${parts}); do`,
    `  case $there in *'"number":'$n','*) continue;; esac`,
    `  dd if=${file} bs=${partSize} skip=$((n - 1)) count=1 2>/dev/null |`,
    `    curl --fail-with-body --silent --globoff --header 'Expect:' --upload-file - ${address}/parts/$n || exit`,
    'done',
    `curl --fail-with-body --globoff --request POST ${address}/complete`,
  ].join('\n');
}
