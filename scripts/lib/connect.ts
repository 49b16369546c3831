import { clientLines } from '../../src/console/client-lines.ts';
import type { ClientLine } from '../../src/console/client-lines.ts';
import { shellQuoted } from '../../src/lib/shell.ts';
import { COLUMNS, faint, link, strong } from './terminal.ts';

function quoted(word: string): string {
  return process.platform === 'win32' ? `"${word.replaceAll('"', '\\"')}"` : shellQuoted(word);
}

/** The lines of the start page, for the shell of this machine; `url` is the MCP address. */
export function connectLines(url: string): readonly ClientLine[] {
  return clientLines(url, quoted);
}

/** A command over as many lines as it needs; a shell still reads it as one. */
function commandLines(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    const longer = line === '' ? word : `${line} ${word}`;
    // cmd.exe does not know the backslash at a line's end; there the terminal may break the line.
    if (line !== '' && longer.length > width - 2 && process.platform !== 'win32') {
      lines.push(`${line} \\`);
      line = `  ${word}`;
    } else line = longer;
  }
  return [...lines, line];
}

/** The clients and their lines, laid out for a terminal. */
export function renderConnectLines(url: string): string {
  return connectLines(url)
    .map(({ client, note, words }) => {
      const title = `  ${strong(client)}${note === '' ? '' : `  ${faint(note)}`}`;
      return [title, ...commandLines(words, COLUMNS - 4).map((line) => `    ${link(line)}`)].join('\n');
    })
    .join('\n');
}
