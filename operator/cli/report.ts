import type { LintFinding } from '../lint/finding.ts';
import type { Location } from './files.ts';

/** A finding, and where in the user's files it is. */
export type LocatedFinding = LintFinding & Location;

/** How findings are written. */
export type Format = 'text' | 'json' | 'github';

/** The findings as the command prints them; empty for none, but for JSON. */
export function formatFindings(findings: readonly LocatedFinding[], format: Format): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(findings, undefined, 2)}\n`;
    case 'github':
      return findings.map(githubLine).join('');
    case 'text':
      return findings.map(textLines).join('');
  }
}

function textLines({ file, line, level, rule, message, why, fix }: LocatedFinding): string {
  return `${file}:${line}: ${level} ${rule}: ${message}\n    why: ${why}\n    fix: ${fix}\n`;
}

// A workflow command of GitHub Actions: what would end a property or the line is written as a percent code.
function githubLine({ file, line, level, rule, message, why, fix }: LocatedFinding): string {
  const data = (text: string): string =>
    text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
  return `::${level} file=${property(file)},line=${line},title=${property(rule)}::${data(`${message} ${why} ${fix}`)}\n`;
}
