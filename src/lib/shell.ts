/** Text as one word for a POSIX shell, which runs nothing in it. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
