/** A table; pipes and tags in its cells are escaped, but for `<br>`. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** A pipe would end the cell, and `<name>` would be a tag. */
function escaped(text: string): string {
  return text.replaceAll('|', String.raw`\|`).replace(/<(?!br>)/g, '&lt;');
}

/** Text as code. */
export function code(text: string): string {
  return `\`${text}\``;
}
