import type { Mark } from './settingsFile.ts';

/** How a version of PostgREST behaves, where versions differ. */
export interface VersionBehaviour {
  /** How a pod shows from outside which settings it has loaded. */
  readonly settingsMark: Mark;
}

/** The behaviour of a version as PostgREST's Server header has it, such as `12.0.2`. */
export function behaviourOf(version: string): VersionBehaviour {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  // The trace header is read anew since 12.2; a schema that is not there fails the schema cache since 13.
  return { settingsMark: major < 12 || (major === 12 && minor < 2) ? 'profile' : 'traceHeader' };
}
