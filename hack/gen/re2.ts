/**
 * What a JavaScript regular expression uses that RE2, and so the API server, does not have: a name for it, or undefined
 * when both read it the same (https://github.com/google/re2/wiki/Syntax).
 */
export function notInRe2(source: string): string | undefined {
  let inClass = false;
  for (let at = 0; at < source.length; at += 1) {
    const rest = source.slice(at);
    if (rest.startsWith('\\')) {
      const found = notAnEscape(rest, inClass);
      if (found !== undefined) return found;
      at += 1;
    } else if (inClass) {
      inClass = !rest.startsWith(']');
    } else if (/^\[\^?\]/.test(rest)) {
      return 'an empty class';
    } else if (rest.startsWith('[')) {
      inClass = true;
    } else if (/^\(\?<?[=!]/.test(rest)) {
      return `look-around ${rest.slice(0, rest.startsWith('(?<') ? 4 : 3)}`;
    } else if (/^\{(\d+)(,(\d*))?\}/.test(rest)) {
      const counts = /^\{(\d+)(?:,(\d*))?\}/.exec(rest)?.slice(1) ?? [];
      if (counts.some((count) => Number(count) > 1000)) return 'a repetition of more than 1000';
    }
  }
  return undefined;
}

/** The same for the escape that `rest` begins with. */
function notAnEscape(rest: string, inClass: boolean): string | undefined {
  const next = rest.charAt(1);
  if (/[1-9]/.test(next)) return inClass ? `the octal escape \\${next}` : `the back-reference \\${next}`;
  if (next === 'k') return 'the named back-reference \\k';
  if (next === 'u' || next === 'c') return `the escape \\${next}`;
  // In RE2 \s has no \v and no Unicode spaces; in a class \b is a backspace for JavaScript alone.
  if (next === 's' || next === 'S') return `the escape \\${next}, which differs between the two`;
  if (next === 'b' && inClass) return 'the escape \\b in a class';
  return undefined;
}
