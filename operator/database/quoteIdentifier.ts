/** The name as SQL has it, always in double quotes; the one place where a name becomes part of SQL text. */
export function quoteIdentifier(name: string): string {
  if (name === '' || name.includes('\0')) throw new Error('not a name that PostgreSQL can have');
  return `"${name.replaceAll('"', '""')}"`;
}
