import { contractionTargets } from '../migration/contractionTargets.ts';
import { findMentions, type SoughtTarget } from '../migration/findMentions.ts';
import type { Catalog } from './catalog.ts';
import type { Place, Report } from './reading.ts';

/** Pending contractions that remove what the API SQL or a pending migration names. */
export function judgeRemovals(statements: readonly Place[], catalog: Catalog, report: Report): void {
  const contractions = statements.filter(
    ({ source }) => source.kind === 'contraction' && source.applied !== true,
  );
  const others = statements.filter(({ source }) => source.kind !== 'contraction' && source.applied !== true);
  const bodies = others.map(({ text }) => ({ text, rowsOf: [], own: [] }));
  for (const at of contractions) {
    const targets = soughtIn(at);
    if (targets.length === 0) continue;
    const found = findMentions(bodies, targets);
    const places = others.flatMap((other, index) => {
      const named = (found[index] ?? []).flatMap(({ target, isSure }) =>
        isSure ? (targets[target] ?? []) : [],
      );
      return named.some((target) => concerns(target, other, catalog)) ? [positionOf(other)] : [];
    });
    if (places.length > 0)
      report(
        'pgrst/contraction-overlap',
        at,
        `What the contraction removes seems to be used in ${[...new Set(places)].slice(0, 5).join(', ')}.`,
      );
  }
}

function soughtIn(at: Place): readonly SoughtTarget[] {
  const reading = contractionTargets(at.text);
  if (!('targets' in reading)) return [];
  return reading.targets
    .filter(({ change }) => change === 'dropped' || change === 'renamed')
    .map((target) => ({ ...target, schemas: target.schema === undefined ? at.path : [target.schema] }));
}

// On a database that is set up from nothing the pending migrations create what the contraction removes.
function concerns(target: SoughtTarget, { source }: Place, { created }: Catalog): boolean {
  return source.kind === 'api' || !target.schemas.some((schema) => created.has(`${schema}.${target.name}`));
}

function positionOf({ source, line }: Place): string {
  return `${source.kind === 'api' ? 'the API SQL' : source.name}, line ${line}`;
}
