import type { Catalog, Relation } from './catalog.ts';
import { schemaOf, type QualifiedName } from './names.ts';
import type { Report } from './reading.ts';

/** Views of the API that show rows past the policies of the tables under them. */
export function judgeViews(catalog: Catalog, schema: string, report: Report): void {
  for (const [name, view] of catalog.relations) {
    if (view.kind !== 'view' || view.invoker || view.at.source.kind !== 'api') continue;
    if (schemaOf(name) !== schema) continue;
    const tables = tablesUnder(view, catalog);
    const secured = tables.filter((table) => catalog.rowSecured.has(table));
    const unknown = tables.filter((table) => !catalog.relations.has(table) && !isSystem(table));
    if (secured.length > 0)
      report(
        'pgrst/view-bypasses-row-security',
        view.at,
        `View ${name} has no security_invoker and reads ${secured.join(', ')}, which has row security.`,
      );
    else if (unknown.length > 0)
      report(
        'pgrst/view-without-security-invoker',
        view.at,
        `View ${name} has no security_invoker and reads ${unknown.join(', ')}; nothing here tells whether that has row security.`,
      );
  }
}

// A view under one without security_invoker is read with the rights of the outer view's owner, whatever it says itself.
function tablesUnder(view: Relation, { relations }: Catalog): readonly QualifiedName[] {
  const found = new Set<QualifiedName>();
  const seen = new Set<QualifiedName>();
  const follow = (names: readonly QualifiedName[]): void => {
    for (const name of names) {
      if (seen.has(name)) continue;
      seen.add(name);
      const relation = relations.get(name);
      if (relation?.kind === 'view') follow(relation.reads);
      else found.add(name);
    }
  };
  follow(view.reads);
  return [...found];
}

function isSystem(name: QualifiedName): boolean {
  return /^(pg_catalog|information_schema)\./.test(name) || /^public\.(pg_|information_schema)/.test(name);
}
