import { isReloadable, meaningOf } from '../api/v1alpha1/postgrestMeaning.ts';
import { identityOf, type RevisionContent } from './revision.ts';

/** What lies between two revisions. */
export interface SettingsChange {
  /** What it takes: nothing, a reload by the pods that run, or new pods. */
  readonly effect: 'None' | 'Reload' | 'NewPods';
  /** What differs, by the names of fields and of PostgREST's parameters; in order, empty with None. */
  readonly what: readonly string[];
}

/**
 * What differs between two revisions, and what it takes to go from one to the other. PostgREST hears of a reload on a
 * connection of its own, which it has not behind the pooler: there everything takes new pods.
 */
export function changeBetween(from: RevisionContent, to: RevisionContent): SettingsChange {
  const fields = changedFields(from, to);
  const parameters = changedParameters(from.postgrest.config, to.postgrest.config);
  const release = from.release.id === to.release.id ? [] : ['release'];
  const what = [...release, ...fields, ...parameters];
  if (what.length === 0) return { effect: 'None', what };
  const hears = !from.database.pooled && !to.database.pooled;
  // A release that was built in place has the schema's name of the one before.
  const keepsSchema = from.release.schema === to.release.schema;
  const isReload = hears && keepsSchema && fields.length === 0 && parameters.every(isReloadable);
  return { effect: isReload ? 'Reload' : 'NewPods', what };
}

/** Everything but the release and PostgREST's parameters. */
function fieldsOf({ release: _, gate, postgrest, ...fields }: RevisionContent): Record<string, unknown> {
  const { config: __, ...more } = postgrest;
  return { ...more, ...fields, gateImage: gate.image };
}

function changedFields(from: RevisionContent, to: RevisionContent): string[] {
  const [before, after] = [fieldsOf(from), fieldsOf(to)];
  return namesOf(before, after).filter(
    (name) => identityOf({ [name]: before[name] }) !== identityOf({ [name]: after[name] }),
  );
}

type Config = Readonly<Record<string, string>>;

function changedParameters(before: Config, after: Config): string[] {
  return namesOf(before, after).filter(
    (name) => meaningOf(name, before[name]) !== meaningOf(name, after[name]),
  );
}

function namesOf(before: object, after: object): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
}
