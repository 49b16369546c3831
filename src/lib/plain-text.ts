/**
 * JSON as lines that a person can read: a field a line, what is inside it indented below. What is
 * absent or an empty text is left out; an empty list is an answer, and says so.
 */
export function plainText(value: unknown, indent = ''): string {
  if (typeof value !== 'object' || value === null) return `${indent}${String(value)}`;
  const entries = Object.entries(value)
    .filter(([, field]) => field !== undefined && field !== null && field !== '')
    .map(([name, field]: [string, unknown]) => [name, isEmpty(field) ? 'none' : field] as const);
  if (entries.length === 0) return `${indent}nothing`;
  const label = (name: string) => (Array.isArray(value) ? '-' : `${name.replaceAll('_', ' ')}:`);
  return entries
    .map(([name, field]) => {
      if (typeof field !== 'object' || field === null) return `${indent}${label(name)} ${String(field)}`;
      const inside = plainText(field, `${indent}  `);
      // An item of a list begins on the line of its dash.
      return Array.isArray(value) ? `${indent}- ${inside.trimStart()}` : `${indent}${label(name)}\n${inside}`;
    })
    .join('\n');
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
