import { basename, dirname, join } from 'node:path';

/** Where the chart keeps its copies: Helm reads nothing outside of the chart's own folder. */
export const chartCrds = 'charts/postgrest-operator/files/crds';

/**
 * The chart's copies of the generated CRDs. Takes and gives texts by their path from the repository's root; what is not
 * directly in `crds/` has no copy.
 */
export function chartCopies(files: ReadonlyMap<string, string>): Map<string, string> {
  const crds = [...files].filter(([path]) => dirname(path) === 'crds');
  return new Map(crds.map(([path, text]) => [join(chartCrds, basename(path)), text]));
}
