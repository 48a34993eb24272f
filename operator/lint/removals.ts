import { contractionTargets } from '../migration/contractionTargets.ts';
import { findMentions, type SoughtTarget } from '../migration/findMentions.ts';
import type { Catalog } from './catalog.ts';
import type { ReadStatement, Report } from './reading.ts';

/** Pending contractions that remove what the API SQL or a pending migration names. */
export function judgeRemovals(statements: readonly ReadStatement[], catalog: Catalog, report: Report): void {
  const contractions = statements.filter(
    ({ source }) => source.kind === 'contraction' && source.applied !== true,
  );
  const others = statements.filter(({ source }) => source.kind !== 'contraction' && source.applied !== true);
  const bodies = others.map(({ statement }) => ({ text: statement.text, rowsOf: [] }));
  for (const at of contractions) {
    const targets = soughtIn(at);
    if (targets.length === 0) continue;
    const found = findMentions(bodies, targets);
    const places = others.flatMap((other, index) => {
      const named = (found[index] ?? []).flatMap((target) => targets[target] ?? []);
      return named.some((target) => concerns(target, other, catalog)) ? [placeOf(other)] : [];
    });
    if (places.length > 0)
      report(
        'pgrst/contraction-overlap',
        at,
        `What the contraction removes seems to be used in ${[...new Set(places)].slice(0, 5).join(', ')}.`,
      );
  }
}

function soughtIn(at: ReadStatement): readonly SoughtTarget[] {
  const reading = contractionTargets(at.statement.text);
  if (!('targets' in reading)) return [];
  return reading.targets
    .filter(({ change }) => change === 'dropped' || change === 'renamed')
    .map((target) => ({ ...target, schemas: target.schema === undefined ? at.path : [target.schema] }));
}

// On a database that is set up from nothing the pending migrations create what the contraction removes.
function concerns(target: SoughtTarget, { source }: ReadStatement, { created }: Catalog): boolean {
  return source.kind === 'api' || !target.schemas.some((schema) => created.has(`${schema}.${target.name}`));
}

function placeOf({ source, statement }: ReadStatement): string {
  return `${source.kind === 'api' ? 'the API SQL' : source.name}, line ${statement.line}`;
}
