const shown = 12;

/** What changes between two texts, for a person who wants to know why a file is stale: the first lines of either side. */
export function summariseDifference(before: string, after: string): string {
  const lines = [...only(before, after, '-'), ...only(after, before, '+')];
  const more = lines.length > shown ? [`  ... and ${lines.length - shown} more lines`] : [];
  return [...lines.slice(0, shown), ...more].join('\n');
}

/** Lines of one text that the other has not (or has fewer of), with a sign in front. */
function only(text: string, other: string, sign: string): string[] {
  const left = new Map<string, number>();
  for (const line of other.split('\n')) left.set(line, (left.get(line) ?? 0) + 1);
  return text.split('\n').flatMap((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count > 0 ? [] : [`  ${sign} ${line}`];
  });
}
