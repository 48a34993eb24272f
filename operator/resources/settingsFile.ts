import { createHash } from 'node:crypto';
import { group, isoTime } from '../api/v1alpha1/shared.ts';
import { isReloadable } from '../api/v1alpha1/postgrestMeaning.ts';
import type { KubeObject } from '../runtime/object.ts';
import { names, ownedMetadata, revisionLabel, revisionLabels, type Owner } from './names.ts';
import { renamedConfig } from './renamedConfig.ts';
import type { RevisionContent } from './revision.ts';

/** Where PostgREST finds its settings file. */
export const settingsFolder = '/etc/postgrest';
const fileName = 'postgrest.conf';
/** The argument that PostgREST is started with. */
export const settingsPath = `${settingsFolder}/${fileName}`;

const tokenAnnotation = `${group}/settings`;
const writtenAtAnnotation = `${group}/written-at`;

/** A channel name of its own for each pod: they are told one after the other. Variables as the kubelet puts them in. */
export const podChannel = '$(POD_NAME)';
/** PostgREST's own default: publishing a release in place notifies it, and all pods hear that. */
const commonChannel = 'pgrst';

/**
 * How a pod shows from outside which settings it has loaded, since no version of PostgREST says so: before 12.2 by a
 * schema name that only these settings know, from 12.2 on by the trace header, which it sends back under a name of our
 * choice and reads anew with the other settings.
 */
export type Mark = 'profile' | 'traceHeader';

/** What the pods of a workload are to have loaded, as the metadata of its ConfigMap says. */
export interface WrittenSettings {
  /** The revision whose settings they are. */
  readonly revision: number;
  /** Tells these settings from all others that the workload had. */
  readonly token: string;
  /** Milliseconds since the epoch; undefined: they are the first ones, and every pod has started with them. */
  readonly writtenAt: number | undefined;
}

/** What decides the content of a settings file. */
export interface SettingsSource {
  readonly number: number;
  readonly content: RevisionContent;
  /** When a reload of this revision was last asked for (RFC 3339): it makes other settings of the same values. */
  readonly reloadAt: string | undefined;
}

/** Whether the pods of a revision are told by NOTIFY: behind transaction pooling LISTEN is never notified. */
export function canListen({ database }: RevisionContent): boolean {
  return !database.pooled;
}

/** The user's parameters apart: those that PostgREST reads anew from its file, and those that a pod starts with. */
export function dividedConfig(content: RevisionContent): {
  readonly file: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
} {
  const config = renamedConfig(content.postgrest.config, content);
  const entries = Object.entries(config);
  const inFile = ([name]: [string, string]): boolean => canListen(content) && isReloadable(name);
  return {
    file: Object.fromEntries(entries.filter(inFile)),
    env: Object.fromEntries(entries.filter((entry) => !inFile(entry))),
  };
}

/** The value of `db-channel` for pods that listen; undefined: PostgREST's own default. */
export function channelSetting(content: RevisionContent): string | undefined {
  const given = content.postgrest.config['db-channel'];
  if (given !== undefined) return given;
  return isInPlace(content) ? undefined : podChannel;
}

/** The channel on which a pod listens. */
export function channelOf(content: RevisionContent, pod: string): string {
  const setting = channelSetting(content);
  return setting === podChannel ? pod : (setting ?? commonChannel);
}

/** Whether the release has the exposed name itself, so that the next one takes its place. */
export function isInPlace({ release, exposedSchema }: RevisionContent): boolean {
  return release.schema === exposedSchema;
}

/** Says which settings these are: 12 hex digits over all that decides them. */
export function settingsToken({ number, content, reloadAt }: SettingsSource): string {
  const text = JSON.stringify([number, content.release.id, reloadAt ?? '', values(number, content)]);
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** The profile that only a pod with these settings knows. */
export function markProfile(token: string): string {
  return `pgrst-settings-${token}`;
}

/** The header that only a pod with these settings sends back. */
export function markHeader(token: string): string {
  return `X-Pgrst-Settings-${token}`;
}

/**
 * The ConfigMap with the settings of a workload. Unlike the gate's it changes: its pods see that within a minute, and
 * read it when they are told to. `mark`: undefined while nobody knows PostgREST's version. `writtenAt`: see there.
 */
export function settingsConfigMap(
  owner: Owner,
  workload: number,
  source: SettingsSource,
  mark: Mark | undefined,
  writtenAt: number | undefined,
): KubeObject {
  const token = settingsToken(source);
  const metadata = ownedMetadata(
    owner,
    names(owner.name).settings(workload),
    revisionLabels(owner.name, workload),
  );
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      ...metadata,
      annotations: {
        [revisionLabel]: String(source.number),
        [tokenAnnotation]: token,
        ...(writtenAt === undefined ? {} : { [writtenAtAnnotation]: isoTime(writtenAt) }),
      },
    },
    data: { [fileName]: settingsText(source, token, mark) },
  };
}

/** What the metadata of a settings ConfigMap says; undefined for any other object. */
export function readWrittenSettings({ metadata }: KubeObject): WrittenSettings | undefined {
  const { annotations = {} } = metadata;
  const revision = Number(annotations[revisionLabel]);
  const token = annotations[tokenAnnotation];
  if (!Number.isInteger(revision) || revision < 1 || token === undefined) return undefined;
  const at = Date.parse(annotations[writtenAtAnnotation] ?? '');
  return { revision, token, writtenAt: Number.isNaN(at) ? undefined : at };
}

/**
 * An annotation that says which settings a pod is to find in its volume: the kubelet looks after the volumes of a pod
 * that has changed, instead of once a minute.
 */
export function pokedPod(
  pod: { readonly namespace: string; readonly name: string; readonly uid: string },
  token: string,
): KubeObject {
  // With its uid: a pod that has gone meanwhile must not be made anew.
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...pod, annotations: { [tokenAnnotation]: token } } };
}

/** The settings that a pod was told to look for; undefined: none. */
export function pokedWith({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.[tokenAnnotation];
}

function settingsText({ number, content }: SettingsSource, token: string, mark: Mark | undefined): string {
  const { schema } = content.release;
  const settings: Record<string, string> = {
    ...values(number, content),
    // The schema of the mark is nowhere in the database: PostgREST before 13 does not mind, and later ones do.
    'db-schemas': mark === 'profile' ? `${schema},${markProfile(token)}` : schema,
    'server-trace-header': markHeader(token),
  };
  return Object.entries(settings)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name} = ${quoted(value)}\n`)
    .join('');
}

function values(number: number, content: RevisionContent): Record<string, string> {
  const { file } = dividedConfig(content);
  return {
    ...Object.fromEntries(Object.entries(file).map(([name, value]) => [keyInFile(name), value])),
    'app.settings.revision': String(number),
  };
}

/** PostgREST's file has dots where its environment has none: `app-settings-tax-rate` is `app.settings.tax_rate`. */
function keyInFile(name: string): string {
  const custom = /^app-settings-(.+)$/.exec(name)?.[1];
  return custom === undefined ? name : `app.settings.${custom.replaceAll('-', '_')}`;
}

/** A value in PostgREST's file, where a dollar would begin the name of a variable. */
function quoted(value: string): string {
  const text = value
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('$', '$$$$')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t');
  return `"${text}"`;
}
