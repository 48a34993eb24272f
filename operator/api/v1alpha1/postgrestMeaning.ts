import type { PostgrestParameter } from './postgrestParameter.ts';
import { postgrestParameters } from './postgrestParameters.ts';

/** What the names of settings for SQL begin with: `app-settings-tenant` is `current_setting('app.settings.tenant')`. */
export const appSettingPrefix = 'app-settings-';
/** The one of them that the operator sets itself: the revision's number. */
export const revisionSetting = `${appSettingPrefix}revision`;

const byName = new Map(postgrestParameters.map((parameter) => [parameter.name, parameter]));

/** The parameter of a name; undefined for settings for SQL, and for names that PostgREST does not know. */
function parameterNamed(name: string): PostgrestParameter | undefined {
  return byName.get(name);
}

/** Whether a changed value reaches a running PostgREST by a reload of its configuration. */
export function isReloadable(name: string): boolean {
  return name.startsWith(appSettingPrefix) || parameterNamed(name)?.change === 'reload';
}

/**
 * What a value means to PostgREST, so that two of one meaning are equal; undefined is what it takes where nothing was
 * said. A boolean is true for every text of the word and for whole numbers above 0.
 */
export function meaningOf(name: string, value: string | undefined): string | undefined {
  const parameter = parameterNamed(name);
  // Only an empty search path is one; an empty text is the same as none everywhere else.
  if (value === undefined || (value === '' && name !== 'db-extra-search-path'))
    return parameter?.chosen === undefined ? parameter?.default : undefined;
  if (parameter?.type.kind === 'boolean')
    return String(/^\s*true\s*$/i.test(value) || (/^[0-9]+$/.test(value) && Number(value) > 0));
  if (parameter?.type.kind === 'whole') return String(Number(value));
  if (parameter?.type.kind === 'list')
    return value
      .split(',')
      .map((entry) => entry.trim())
      .join(',');
  return value;
}
