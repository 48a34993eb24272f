/**
 * The text as a string constant of SQL, for the messages that hold several statements and so take no parameters. Means
 * the same whether standard_conforming_strings is on or off: with a backslash in it, it is an escape string.
 */
export function quoteLiteral(text: string): string {
  if (text.includes('\0')) throw new Error('not a text that PostgreSQL can have');
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}
