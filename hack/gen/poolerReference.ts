import {
  poolerParameters,
  refusedPoolerParameters,
  valuesOf,
} from '../../operator/api/v1alpha1/poolerParameters.ts';

/** docs/reference/pooler.md: what `spec.pooler.parameters` takes, and what it refuses with which reason. */
export function poolerReference(): string {
  return [
    '# PgBouncer parameters',
    'What [`spec.pooler.parameters`](apiinstance.md) takes, by the names that PgBouncer has for it. Every value is written as a string. A change of what is _reloaded_ replaces no pod: each process reads it anew and is asked whether it has. Other changes replace the pods one by one, without a failed request. [PgBouncer](../how-to/pooler.md) says how it is set up.',
    table(
      ['Parameter', 'Values', 'Default', 'A change', 'What it does'],
      Object.entries(poolerParameters).map(([name, parameter]) => [
        `\`${name}\``,
        valuesOf(parameter),
        `\`${parameter.byDefault}\``,
        parameter.change === 'reload' ? 'is reloaded' : 'replaces the pods',
        parameter.text,
      ]),
    ),
    '## What is refused',
    'By the API server at `kubectl apply`, and again by the operator.',
    table(
      ['Parameter', 'Why'],
      refusedPoolerParameters.flatMap(({ names, why }) => names.map((name) => [`\`${name}\``, `${why}.`])),
    ),
  ].join('\n\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}
