/** A table, its columns first. */
export function markdown([columns = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The cells of the table whose first column has this name, its columns first; nothing where there is none. */
export function tableOf(text: string, first: string): string[][] {
  const lines = text.split('\n').map((line) => line.split('|').slice(1, -1));
  const cells = lines.map((line) => line.map((cell) => cell.trim()));
  const start = cells.findIndex(([name]) => name === first);
  if (start === -1) return [];
  const end = cells.findIndex((line, index) => index > start && line.length === 0);
  return cells.slice(start, end === -1 ? undefined : end).filter(([, second]) => !/^:?-+:?$/.test(second ?? ''));
}
