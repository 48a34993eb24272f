/**
 * The known name that is nearest to a mistyped one, the same in CEL and in TypeScript: which share of its groups of three
 * letters is in what was typed, against the length of both. What is typed is folded first, so that the environment
 * variable's name is near as well.
 */
interface Candidate {
  readonly name: string;
  readonly groups: readonly string[];
}

/** Of 1000; what two names have in common below that is chance. */
const leastScore = 200;

function candidate(name: string): Candidate {
  const starts = Array.from({ length: Math.max(0, name.length - 2) }, (_, at) => at);
  return { name, groups: [...new Set(starts.map((at) => name.slice(at, at + 3)))] };
}

/** The nearest of the names; undefined when none is near. Of equals the first. */
export function nearestName(typed: string, names: readonly string[]): string | undefined {
  const folded = typed.replace(/[A-Z]/g, (letter) => letter.toLowerCase()).replaceAll(/[_.]/g, '-');
  const length = Array.from(typed).length;
  const scores = names.map(candidate).map(({ groups }) => {
    const shared = groups.filter((group) => folded.includes(group)).length;
    return Math.floor((shared * 1000) / (groups.length + length));
  });
  const best = Math.max(...scores);
  return best < leastScore ? undefined : names[scores.indexOf(best)];
}

/**
 * CEL for a text: `found` with the nearest name in place of `NAME`, or `otherwise`. `typed` has to be a variable over the
 * keys of `self`: the API server's estimate knows a bound of their length, and of nothing that is made from them. So the
 * folding stands inside, where it is done again and again.
 */
export function nearestNameCel(
  typed: string,
  names: readonly string[],
  { found, otherwise }: { found: string; otherwise: string },
): string {
  const groups = names.map((name) => celList(candidate(name).groups)).join(', ');
  const folded = `${typed}.lowerAscii().replace('_', '-').replace('.', '-')`;
  const score = `group.filter(g, ${folded}.contains(g)).size() * 1000 / (group.size() + size(${typed}))`;
  const best = `${celList(names)}[scores.indexOf(scores.max())]`;
  const text = found.split('NAME').map(celText).join(` + ${best} + `);
  // A list of one element, mapped, is what CEL has for a variable.
  return `[[${groups}].map(group, ${score})].map(scores, scores.max() < ${leastScore} ? ${celText(otherwise)} : ${text})[0]`;
}

/** A CEL list of strings. */
export function celList(values: readonly string[]): string {
  return `[${values.map(celText).join(', ')}]`;
}

/** A CEL string; assumes that there is no line break in it. */
export function celText(value: string): string {
  return `'${value.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
}
