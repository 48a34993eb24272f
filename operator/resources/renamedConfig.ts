import type { RevisionContent } from './revision.ts';

/** PostgREST parameters that name a function as `schema.function`. */
const functionParameters = ['db-pre-config', 'db-pre-request', 'db-root-spec'];
/** PostgREST's parameter that lists schemas. */
const schemasParameter = 'db-extra-search-path';

/**
 * The user's parameters with the exposed schema's name turned into the release's: in the database nothing has the name
 * that the API SQL uses. Unqualified names and other schemas stay as they are.
 */
export function renamedConfig(
  config: Readonly<Record<string, string>>,
  { exposedSchema, release }: Pick<RevisionContent, 'exposedSchema' | 'release'>,
): Record<string, string> {
  const names = [exposedSchema, `"${exposedSchema}"`];
  const renamed = (name: string): string => (names.includes(name.trim()) ? release.schema : name);
  return Object.fromEntries(
    Object.entries(config).map(([parameter, value]) => {
      if (parameter === schemasParameter) return [parameter, value.split(',').map(renamed).join(',')];
      if (!functionParameters.includes(parameter)) return [parameter, value];
      const dot = value.indexOf('.');
      return [parameter, dot < 0 ? value : renamed(value.slice(0, dot)) + value.slice(dot)];
    }),
  );
}
