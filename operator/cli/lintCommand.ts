import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { inspectSources } from '../lint/inspect.ts';
import { lint } from '../lint/lint.ts';
import type { LintOptions, LintSource } from '../lint/source.ts';
import { createSquawk, squawkPath } from '../lint/squawk.ts';
import { loadSqlParser } from '../migration/parser.ts';
import { joinSources, sqlFile, UsageError, type LocatedSource } from './files.ts';
import { readManifests, type SchemaManifest } from './manifests.ts';
import { formatFindings, type LocatedFinding } from './report.ts';

/** `pgrst lint --help`. */
export const lintHelp = `pgrst lint [options] FILE...

Judges SQL before it runs, as the operator does. Needs no cluster and no database.

FILE is a .sql file (a migration; they run in the order given) or a .yaml manifest: ApiSchemas are judged whole, and
ConfigMaps in the same files give the SQL that they refer to.

  --api FILE          a .sql file of the API SQL; repeat it for several, in their order
  --contraction FILE  a .sql file of a contraction; may be repeated
  --schema NAME       the exposed schema of .sql files (default api)
  --applied NAME      this migration and those before it are in the database: their tables are not new, and
                      nothing of them is reported (default: what the ApiSchema's baseline says)
  --fail-on LEVEL     error or warning (default: what the ApiSchema says, else error)
  --format FORMAT     text, json or github (default text)

Exit code: 0 nothing found that fails, 1 something found that does, 2 wrong usage or an unreadable file.
`;

/** What a command has to say. */
export interface CommandResult {
  readonly output: string;
  readonly exitCode: 0 | 1;
}

/**
 * Runs `pgrst lint`.
 * @throws UsageError when the arguments or files are wrong.
 */
export async function lintCommand(args: readonly string[], signal: AbortSignal): Promise<CommandResult> {
  const { values, positionals } = readArguments(args);
  if (values.help === true) return { output: lintHelp, exitCode: 0 };
  const format = oneOf('--format', values.format ?? 'text', ['text', 'json', 'github']);
  const failOn =
    values['fail-on'] === undefined
      ? undefined
      : levels[oneOf('--fail-on', values['fail-on'], ['error', 'warning'])];
  const isManifest = (file: string): boolean => /\.ya?ml$/.test(file);
  const sets = readManifests(positionals.filter(isManifest));
  const loose = looseFiles(
    positionals.filter((file) => !isManifest(file)),
    values,
  );
  if (loose === undefined && sets.length === 0)
    throw new UsageError('There is nothing to judge: name .sql files, or manifests with an ApiSchema');
  const all = loose === undefined ? sets : [loose, ...sets];
  const { applied } = values;
  if (applied !== undefined && !all.some((set) => lastApplied(set, applied) !== -1))
    throw new UsageError(`--applied ${applied} is none of the migrations`);
  await loadSqlParser();
  const findings: LocatedFinding[] = [];
  let failed = false;
  for (const set of all) {
    const result = await judge(markApplied(set, applied), failOn, signal);
    findings.push(...result.findings);
    failed ||= result.failed;
  }
  return { output: formatFindings(findings, format), exitCode: failed ? 1 : 0 };
}

/** The set with its sources up to the named migration, else up to the baseline, marked as applied. */
function markApplied(set: SchemaManifest, applied: string | undefined): SchemaManifest {
  const last = Math.max(lastApplied(set, applied), lastApplied(set, set.baseline));
  const sources = set.sources.map(({ source, locate }, index) => ({
    source: { ...source, applied: index <= last },
    locate,
  }));
  return { ...set, sources };
}

/** The index of the migration; -1 when there is none of that name. */
function lastApplied({ sources }: SchemaManifest, name: string | undefined): number {
  return sources.findIndex(({ source }) => source.kind === 'migration' && source.name === name);
}

const levels = { error: 'Error', warning: 'Warning' } as const satisfies Record<
  string,
  LintOptions['failOn']
>;

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        api: { type: 'string', multiple: true },
        applied: { type: 'string' },
        contraction: { type: 'string', multiple: true },
        schema: { type: 'string' },
        'fail-on': { type: 'string' },
        format: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function oneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new UsageError(`${option} is ${allowed.join(' or ')}, not ${value}`);
  return found;
}

/** The .sql files as one set; undefined when there are none. */
function looseFiles(
  migrations: readonly string[],
  { api = [], contraction = [], schema = 'api' }: ReturnType<typeof readArguments>['values'],
): SchemaManifest | undefined {
  if (migrations.length + api.length + contraction.length === 0) return undefined;
  const named = (kind: LintSource['kind']) => (file: string) => sqlFile(file, kind, basename(file, '.sql'));
  const apiSources =
    api.length === 0
      ? []
      : [
          joinSources(
            'api',
            api.map((file) => sqlFile(file, 'api', 'api')),
          ),
        ];
  return {
    sources: [...migrations.map(named('migration')), ...contraction.map(named('contraction')), ...apiSources],
    options: { schema, ignore: [], failOn: 'Error' },
  };
}

async function judge(
  { sources, options }: SchemaManifest,
  failOn: LintOptions['failOn'] | undefined,
  signal: AbortSignal,
): Promise<{ readonly findings: readonly LocatedFinding[]; readonly failed: boolean }> {
  const dependencies = { inspect: inspectSources, squawk: createSquawk(squawkPath()) };
  // Files of the same name in several folders are several sources.
  const numbered = sources.map(({ source }, index): LintSource => ({ ...source, name: String(index) }));
  const { findings, failed } = await lint(
    numbered,
    { ...options, ...(failOn && { failOn }) },
    dependencies,
    signal,
  );
  const located = findings.flatMap((finding): LocatedFinding[] => {
    const from: LocatedSource | undefined = sources[Number(finding.source)];
    return from === undefined ? [] : [{ ...finding, source: from.source.name, ...from.locate(finding.line) }];
  });
  return { findings: located, failed };
}
