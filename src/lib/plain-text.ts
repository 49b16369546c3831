/**
 * JSON as lines that a person can read: a field a line, what is inside it indented below. What is
 * empty or absent is left out.
 */
export function plainText(value: unknown, indent = ''): string {
  if (typeof value !== 'object' || value === null) return `${indent}${String(value)}`;
  const entries = Object.entries(value).filter(([, field]) => !isEmpty(field));
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
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
