import type { LintRule } from './finding.ts';

/** Our rules: what PostgreSQL's linters do not know of PostgREST and of releases. */
export const rules = {
  'pgrst/syntax-error': {
    level: 'error',
    why: 'PostgreSQL would refuse the text, and nothing of it can be judged.',
    fix: 'Correct the statement.',
  },
  'pgrst/transaction-control': {
    level: 'error',
    why: 'The operator runs the SQL in a transaction of its own, together with the ledger row: a COMMIT in it would part the two.',
    fix: 'Remove the statement; write data as INSERT.',
  },
  'pgrst/not-api-sql': {
    level: 'error',
    why: 'API SQL is run again for every release, beside the release that is served.',
    fix: 'Keep views, functions, types, comments and grants in the API SQL; everything else is a migration.',
  },
  'pgrst/outside-exposed-schema': {
    level: 'error',
    why: 'A release is one schema. What API SQL does elsewhere would change the releases that are served as well, and the build is refused.',
    fix: 'Write the name with the exposed schema in front, or move the statement into a migration.',
  },
  'pgrst/inside-exposed-schema': {
    level: 'error',
    why: 'Each release is built in a fresh schema out of the API SQL alone: what a migration puts into a schema of that name is never served.',
    fix: 'Put tables into another schema and show them through a view in the API SQL; move views and functions into the API SQL.',
  },
  'pgrst/view-bypasses-row-security': {
    level: 'error',
    why: "Without security_invoker a view reads with the rights of its owner, for whom the table's policies do not hold: every client sees every row.",
    fix: 'CREATE VIEW ... WITH (security_invoker = true), and grant the roles what they need on the table.',
  },
  'pgrst/view-without-security-invoker': {
    level: 'warning',
    why: 'Should the table have row security, its policies do not hold for those who read this view: it reads with the rights of its owner.',
    fix: 'CREATE VIEW ... WITH (security_invoker = true), or ignore this rule with the reason why every row may be seen.',
  },
  'pgrst/replace-drops-security-invoker': {
    level: 'error',
    why: 'CREATE OR REPLACE VIEW without WITH takes security_invoker away silently; from then on the view passes by the policies of its tables.',
    fix: 'Repeat WITH (security_invoker = true) in the replacement.',
  },
  'pgrst/row-security-on-view': {
    level: 'error',
    why: 'Row security and policies belong to tables; PostgreSQL refuses them on a view.',
    fix: 'In a migration: ALTER TABLE ... ENABLE ROW LEVEL SECURITY and CREATE POLICY on the table. In the API: the view WITH (security_invoker = true).',
  },
  'pgrst/definer-without-search-path': {
    level: 'error',
    why: 'A SECURITY DEFINER function that takes the search_path of its caller finds whatever the caller puts in front, and runs it with the rights of the owner.',
    fix: "Add SET search_path = '' (or the schemas that it needs, pg_temp last) and write names with their schemas.",
  },
  'pgrst/execute-left-to-public': {
    level: 'warning',
    why: 'PostgreSQL lets PUBLIC execute every new function: each role that may use the schema, the anonymous one included, can call it through /rpc.',
    fix: 'REVOKE EXECUTE ON FUNCTION ... FROM PUBLIC after it, or once, in a migration: ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC. Then GRANT EXECUTE to the roles that may call it.',
  },
  'pgrst/default-privileges-in-schema': {
    level: 'warning',
    why: 'Default privileges of one schema are added to the global ones and cannot take away what PUBLIC has by default: the statement has no effect.',
    fix: 'Leave out IN SCHEMA (in a migration: it then holds for all schemas), or revoke from each function.',
  },
  'pgrst/ambiguous-overload': {
    level: 'error',
    why: 'PostgREST tells overloads apart by the names of their arguments only: it answers every such call with 300 (PGRST203).',
    fix: 'Rename an argument or one of the functions.',
  },
  'pgrst/overlapping-overload': {
    level: 'warning',
    why: 'PostgREST tells overloads apart by the names of their arguments only: it answers calls that fit both with 300 (PGRST203).',
    fix: 'Remove the defaults that make both fit, or rename one of the functions.',
  },
  'pgrst/schema-name-in-string': {
    level: 'warning',
    why: 'A release carries its own schema name. A name inside a string cannot be mapped to it with certainty and is left as it is: at run time it names nothing, or something else.',
    fix: "Use the name outside of strings, or without its schema: PostgREST puts the release's schema in front of the search_path.",
  },
  'pgrst/ambiguous-schema-name': {
    level: 'error',
    why: 'The name of the exposed schema also stands for something else in this body, so it cannot be mapped to the name of the release, and the build is refused.',
    fix: 'Rename the alias, variable, argument or column.',
  },
  'pgrst/body-names-exposed-schema': {
    level: 'warning',
    why: 'Releases have names of their own, so at run time no schema of that name exists; bodies of functions are mapped in the API SQL only.',
    fix: 'Move the function into the API SQL, or what it uses into another schema.',
  },
  'pgrst/grant-to-public': {
    level: 'warning',
    why: 'PUBLIC is every role, those that come later and the anonymous one included.',
    fix: 'Grant to the roles that need it.',
  },
  'pgrst/drop-cascade': {
    level: 'error',
    why: 'CASCADE drops whatever depends on the object without naming it: the views of releases that are served, say.',
    fix: 'Name what goes. For what older releases still use: a contraction, without CASCADE.',
  },
  'pgrst/rewrites-table': {
    level: 'warning',
    why: 'The whole table is written anew. Everybody who uses it waits meanwhile, the API included.',
    fix: 'Plain VACUUM, or a tool that rewrites tables beside their users, such as pg_repack.',
  },
  'pgrst/contraction-overlap': {
    level: 'warning',
    why: 'The API SQL or a pending migration seems to use what the contraction removes, and the two lanes have no order between them: whatever comes second may fail.',
    fix: 'Take the name out there first, in a release before this one; or ignore this rule with the reason why both orders work.',
  },
  'pgrst/not-read-by-squawk': {
    level: 'warning',
    why: "PostgreSQL's parser reads the statement, squawk's does not: its rules were not checked.",
    fix: 'Look at the locks of this statement yourself, and ignore this rule for the migration.',
  },
} as const satisfies Readonly<Record<string, LintRule>>;

/** The name of one of our rules. */
export type RuleName = keyof typeof rules;
