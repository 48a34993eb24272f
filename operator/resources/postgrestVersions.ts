import type { Mark } from './settingsFile.ts';

/** How a running PostgREST behaves where versions differ; measured or read in their sources. */
export interface PostgrestBehaviour {
  /** The first version that this holds for, as `major.minor.patch`; until the next row's. */
  readonly from: string;
  /**
   * What `/ready` means beyond a connection. `present`: there is a schema cache, a stale one too. `loaded`: the last
   * load has succeeded, so that it is 503 while one fails or ends.
   */
  readonly ready: 'present' | 'loaded';
  /** What an order to stop does to requests that are on their way. */
  readonly shutdown: 'cut' | 'drained';
  /** What a failed reload does to the schema cache: without one every request is answered 503. */
  readonly failedReload: 'clears' | 'keeps';
  /** How soon a failed load is tried again. */
  readonly failedLoadRetry: 'at once' | 'backs off to 32 s';
  /** Whether the API's port is open before the schema cache was loaded for the first time. */
  readonly apiSocket: 'before the first load' | 'after the first load';
  /** Whether the admin server has `/metrics`. */
  readonly metrics: boolean;
  /**
   * How a pod shows from outside which settings it has loaded. `profile`: a schema that only the new ones expose is
   * answered 404 instead of 406, which since 13 would fail the schema cache. `traceHeader`: the new ones name a header
   * that answers repeat.
   */
  readonly settingsMark: Mark;
  /**
   * How a lost listener comes back, at most 32 s later. `withPool`: once the pool has a connection again. `alone`: by
   * tries of its own, to a server that can be written to. Either way it reads the schema cache anew.
   */
  readonly listenerRetry: 'withPool' | 'alone';
  /** The version that mends a clock by which valid tokens are refused at times (PGRST303); absent: none is known. */
  readonly tokenClockMendedIn?: string;
}

const v12: PostgrestBehaviour = {
  from: '12.0.0',
  ready: 'present',
  shutdown: 'cut',
  failedReload: 'clears',
  failedLoadRetry: 'at once',
  apiSocket: 'before the first load',
  metrics: false,
  settingsMark: 'profile',
  listenerRetry: 'withPool',
};
const v122: PostgrestBehaviour = {
  ...v12,
  from: '12.2.0',
  ready: 'loaded',
  metrics: true,
  settingsMark: 'traceHeader',
  listenerRetry: 'alone',
};
const v1222: PostgrestBehaviour = { ...v122, from: '12.2.2', failedLoadRetry: 'backs off to 32 s' };
const v16: PostgrestBehaviour = {
  ...v1222,
  from: '16.0.0',
  shutdown: 'drained',
  failedReload: 'keeps',
  apiSocket: 'after the first load',
};

/** One row for each version from which something is different, oldest first. */
export const postgrestBehaviours: readonly PostgrestBehaviour[] = [
  v12,
  v122,
  v1222,
  // Which versions have the clock is not known; it was mended in these.
  { ...v1222, from: '14.0.0', tokenClockMendedIn: '14.18' },
  { ...v1222, from: '14.18.0' },
  { ...v16, tokenClockMendedIn: '16.3' },
  { ...v16, from: '16.3.0' },
];

/**
 * The version in PostgREST's `Server` header, such as `12.0.2` or, since 14, `16.4`; undefined when it is no version of
 * PostgREST, or none that has been released.
 */
export function versionOf(server: string | undefined): string | undefined {
  return /^postgrest\/([0-9]{1,4}(?:\.[0-9]{1,4}){1,2})(?![-.0-9])/.exec(server ?? '')?.[1];
}

/**
 * How a version of PostgREST behaves. One that is newer than the table does as the newest row says; undefined for one
 * that is older than 12, or not known.
 */
export function behaviourOf(version: string | undefined): PostgrestBehaviour | undefined {
  if (version === undefined) return undefined;
  return postgrestBehaviours.findLast(({ from }) => compareVersions(from, version) <= 0);
}

/** Below 0 when `a` is the older one. */
function compareVersions(a: string, b: string): number {
  const [before, after] = [partsOf(a), partsOf(b)];
  const at = before.findIndex((part, index) => part !== after[index]);
  return at < 0 ? 0 : (before[at] ?? 0) - (after[at] ?? 0);
}

function partsOf(version: string): number[] {
  const parts = version.split('.').map(Number);
  return [0, 1, 2].map((index) => parts[index] ?? 0);
}
