import {
  leftToRight,
  mappedToNothing,
  nonAsciiSpaces,
  prohibited,
  rightToLeft,
  unassigned,
} from './stringprepTables.ts';

/**
 * The password as SCRAM hashes it: SASLprep of RFC 4013. Where that prohibits the password it is taken as it is, which
 * is what libpq and PostgreSQL do (src/common/saslprep.c and its callers): both ends must agree, not be right.
 */
export function saslprep(password: string): string {
  // ASCII without control characters is what it is, without loading any table.
  if (/^[ -~]*$/.test(password)) return password;
  const isSpace = inTable(nonAsciiSpaces);
  const isNothing = inTable(mappedToNothing);
  const prepared = [...password]
    .map((character) => (isSpace(character) ? ' ' : isNothing(character) ? '' : character))
    .join('')
    .normalize('NFKC');
  return isAllowed([...prepared]) ? prepared : password;
}

function isAllowed(characters: readonly string[]): boolean {
  const [first, last] = [characters[0], characters.at(-1)];
  if (first === undefined || last === undefined) return false;
  if (characters.some(inTable(prohibited)) || characters.some(inTable(unassigned))) return false;
  const isRightToLeft = inTable(rightToLeft);
  if (!characters.some(isRightToLeft)) return true;
  return isRightToLeft(first) && isRightToLeft(last) && !characters.some(inTable(leftToRight));
}

function inTable(table: string): (character: string) => boolean {
  const ranges = table
    .trim()
    .split(/\s+/)
    .map((range) => range.split('-').map((code) => Number.parseInt(code, 16)));
  return (character) => {
    const code = character.codePointAt(0) ?? 0;
    return ranges.some(([from = 0, to = from]) => from <= code && code <= to);
  };
}
