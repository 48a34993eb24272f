import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** One step of the ledger's own migrations: the version it leads to, and its SQL. */
export interface LedgerStep {
  readonly version: number;
  readonly sql: string;
}

/** The ledger's own migrations in order, from `sql/ledger/NNNN-*.sql`. */
export function ledgerSteps(): readonly LedgerStep[] {
  const folder = join(sqlFolder(), 'ledger');
  return readdirSync(folder)
    .filter((file) => /^\d{4}-.*\.sql$/.test(file))
    .sort()
    .map((file) => ({ version: Number(file.slice(0, 4)), sql: readFileSync(join(folder, file), 'utf8') }));
}

/** The text of `sql/<name>.sql`. */
export function sqlFile(name: string): string {
  return readFileSync(join(sqlFolder(), `${name}.sql`), 'utf8');
}

// Upwards from here, because the bundle in the image and the sources lie at different depths below sql/.
function sqlFolder(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder))
    if (existsSync(join(folder, 'sql', 'ledger'))) return join(folder, 'sql');
  throw new Error(`no folder sql/ledger above ${import.meta.dirname}`);
}
