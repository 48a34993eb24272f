import { ownedParameters } from '../api/v1alpha1/postgrestConfig.ts';
import { accepted, instanceWith, refused, type SpecCase } from './specCase.ts';

const config = (parameters: unknown) => instanceWith('spec.postgrest.config', parameters);
const page = 'All are in docs/reference/postgrest-parameters.md';

/** Names that nobody knows, and what is said of each. */
const unknownNames: readonly [string, string][] = [
  ['db-max-row', `PostgREST has no parameter db-max-row: did you mean db-max-rows? ${page}`],
  ['db-mx-rows', 'did you mean db-max-rows?'],
  ['max-rows', 'did you mean db-max-rows?'],
  ['db-pool-size', 'did you mean db-pool?'],
  ['db-pool-timeout', 'did you mean db-pool-acquisition-timeout?'],
  ['db-anonymous-role', 'did you mean db-anon-role?'],
  ['db-prepared-statement', 'did you mean db-prepared-statements?'],
  ['role-claim-key', 'did you mean jwt-role-claim-key?'],
  ['jwt-audience', 'did you mean jwt-aud?'],
  ['openapi-modus', 'did you mean openapi-mode?'],
  ['loglevel', 'did you mean log-level?'],
  ['PGRST_DB_MAX_ROWS', 'PostgREST has no parameter PGRST_DB_MAX_ROWS: did you mean db-max-rows?'],
  ['db_plan_enabled', 'did you mean db-plan-enabled?'],
  ['app.settings.tenant', 'did you mean app-settings-<name>?'],
  ['app-settings-', 'did you mean app-settings-<name>?'],
  ['xyz', `PostgREST has no parameter xyz. ${page}`],
  ['täglich', 'PostgREST has no parameter täglich'],
  ['', `PostgREST has no parameter . ${page}`],
];

const wrongValues: readonly [string, number | string, string][] = [
  ['db-max-rows', 'many', 'db-max-rows takes a whole number from 0 to 2147483647, not "many"'],
  ['db-max-rows', -1, 'db-max-rows takes a whole number from 0 to 2147483647, not "-1"'],
  ['db-max-rows', '1.5', 'db-max-rows takes a whole number from 0 to 2147483647, not "1.5"'],
  ['db-max-rows', '', 'db-max-rows takes a whole number from 0 to 2147483647, not ""'],
  ['db-max-rows', 9_999_999_999, 'db-max-rows takes a whole number from 0 to 2147483647, not "9999999999"'],
  ['db-pool', 0, 'db-pool takes a whole number from 1 to 1000, not "0"'],
  ['db-pool', '1001', 'db-pool takes a whole number from 1 to 1000, not "1001"'],
  ['db-pool-max-lifetime', '30s', 'db-pool-max-lifetime takes a whole number from 1 to 86400, not "30s"'],
  ['db-plan-enabled', 'yes', 'db-plan-enabled takes true or false, in quotes, not "yes"'],
  ['db-plan-enabled', 2, 'db-plan-enabled takes true or false, in quotes, not "2"'],
  ['log-level', 'loud', 'log-level is one of crit, error, warn, info, debug, not "loud"'],
  ['log-level', 3, 'log-level is one of crit, error, warn, info, debug, not "3"'],
  [
    'db-tx-end',
    'abort',
    'db-tx-end is one of commit, commit-allow-override, rollback, rollback-allow-override, not "abort"',
  ],
  // The API server takes no line break into a message of this kind.
  ['log-level', 'a\nb', 'a parameter that is a word takes one of its words'],
];

/** What is accepted and what is refused as `spec.postgrest.config`. */
export const configCases: readonly SpecCase[] = [
  ...Object.entries({
    'a whole number': { 'db-max-rows': 10_000 },
    'a whole number as a text': { 'db-max-rows': '10000' },
    'no rows at all': { 'db-max-rows': 0 },
    'true as a text': { 'db-plan-enabled': 'true' },
    'False as a text': { 'db-plan-enabled': 'False' },
    '1 for true': { 'db-plan-enabled': 1 },
    'a word': { 'log-level': 'info', 'db-tx-end': 'rollback-allow-override' },
    'texts, empty ones too': { 'db-extra-search-path': '', 'jwt-aud': 'https://a.example' },
    'a text that is a number': { 'jwt-aud': 7 },
    'settings for SQL': { 'app-settings-tenant': 'a', 'app-settings-2': -5 },
    'a setting for SQL with a name of 50 characters': { [`app-settings-${'a'.repeat(50)}`]: 'x' },
    'a value of 4096 characters': { 'jwt-aud': 'x'.repeat(4096) },
  }).map(([sentence, parameters]) => accepted(`as parameters ${sentence}`, config(parameters))),
  refused('a value of 4097 characters', config({ 'jwt-aud': 'x'.repeat(4097) }), {
    both: 'may not be more than 4096',
  }),
  refused('a boolean without quotes', config({ 'db-plan-enabled': true }), {
    both: 'spec.postgrest.config.db-plan-enabled in body must be of type integer,string: "boolean"',
  }),
  refused('a fraction', config({ 'db-max-rows': 1.5 }), { both: 'must be of type integer,string: "number"' }),
  refused(
    'a setting for SQL with a name of 51 characters',
    config({ [`app-settings-${'a'.repeat(51)}`]: 'x' }),
    { rule: 'PostgREST has no parameter app-settings-aaa' },
  ),
  ...unknownNames.map(([name, words]) =>
    refused(`the parameter "${name}"`, config({ [name]: 'x' }), { rule: words }),
  ),
  ...wrongValues.map(([name, value, words]) =>
    refused(`${JSON.stringify(value)} as ${name}`, config({ [name]: value }), { rule: words }),
  ),
  ...ownedParameters.map((name) =>
    refused(`the PostgREST parameter ${name}`, config({ [name]: 'x' }), {
      rule: `${name} is set by the operator itself, remove it from postgrest.config: `,
    }),
  ),
  refused(
    'two parameters of the operator, of which one is named',
    config({ 'server-port': '80', 'db-uri': 'x' }),
    { rule: 'db-uri is set by the operator itself' },
  ),
  refused('two wrong numbers, of which one is named', config({ 'db-pool': 'x', 'db-max-rows': 'y' }), {
    rule: 'db-max-rows takes a whole number',
  }),
];
