import { isProblem, scanSql } from './parser.ts';

const longest = 200;

/**
 * The statement in one line with `?` for each constant and without its comments, cut at 200 characters, so that nothing
 * that a user has written as a value shows. Empty when it does not scan.
 */
export function maskConstants(statement: string): string {
  const tokens = scanSql(statement);
  if (isProblem(tokens)) return '';
  const bytes = Buffer.from(statement);
  let end = 0;
  let masked = '';
  for (const token of tokens) {
    if (token.start > end && masked !== '') masked += ' ';
    end = token.end;
    if (token.kind === 'comment') continue;
    const isConstant = token.kind === 'string' || /^\.?\d/.test(token.text);
    masked += isConstant ? '?' : bytes.subarray(token.start, token.end).toString();
    if (masked.length > 2 * longest) break;
  }
  const line = masked.replace(/\s+/g, ' ').trim();
  const characters = [...line];
  return characters.length <= longest ? line : `${characters.slice(0, longest - 1).join('')}…`;
}
