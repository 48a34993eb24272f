import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A system as its users described it, in `scenarios/<name>.sql`. */
export interface Scenario {
  /** Makes its roles, whose names end in the suffix, because roles belong to the whole server. */
  readonly roles: string;
  readonly roleNames: readonly string[];
  /** What its migrations would do. */
  readonly migration: string;
  readonly api: string;
  /** pgTAP. */
  readonly tests: string;
  /** Statements whose answers must not depend on the schema's name, which they write as `{schema}`. */
  readonly probes: readonly string[];
}

/** The names of the scenarios. */
export const scenarios = ['glucose', 'entitlements', 'eln', 'organizations', 'tasks'] as const;

/** Reads a scenario and puts the suffix to its roles. */
export function readScenario(name: (typeof scenarios)[number], suffix: string): Scenario {
  const text = readFileSync(join(import.meta.dirname, 'scenarios', `${name}.sql`), 'utf8');
  const parts = new Map(
    text
      .replaceAll('SUFFIX', suffix)
      .split('-- [')
      .slice(1)
      .map((part): [string, string] => [
        part.slice(0, part.indexOf(']')),
        part.slice(part.indexOf('\n') + 1),
      ]),
  );
  const part = (title: string): string => {
    const found = parts.get(title);
    if (found === undefined) throw new Error(`scenarios/${name}.sql has no part [${title}]`);
    return found;
  };
  const roles = part('roles');
  return {
    roles,
    roleNames: [...roles.matchAll(/create role (\w+)/g)].flatMap(([, role]) => role ?? []),
    migration: part('migration'),
    api: part('api'),
    tests: part('tests'),
    probes: part('probes').trim().split('\n'),
  };
}
