import { inspectSources } from '../lint/inspect.ts';
import { contractionTargets } from '../migration/contractionTargets.ts';
import { findMentions } from '../migration/findMentions.ts';
import { maskConstants } from '../migration/maskConstants.ts';
import { mapSchemaNames, searchPathNames } from '../migration/schemaNames.ts';
import type { MappedText, SchemaMapping } from '../migration/schemaNames.ts';
import { testStatements } from '../migration/tap.ts';
import { mapTestNames, type BareNames } from '../migration/testNames.ts';
import { readApi } from './readApi.ts';
import { readMigrations } from './readMigrations.ts';

/**
 * What the SQL thread can do: pure functions of plain data. Arguments and results cross a thread boundary, so they hold
 * texts, numbers, lists and records, never a parse tree (it is some fifty times as large as its SQL).
 */
export const operations = {
  readMigrations,
  readApi,
  mapSchemaNames: (texts: readonly string[], mapping: SchemaMapping): readonly MappedText[] =>
    texts.map((text) => mapSchemaNames(text, mapping)),
  searchPathNames: (values: readonly string[]): readonly (readonly string[])[] =>
    values.map((value) => searchPathNames(value)),
  contractionTargets,
  findMentions,
  maskConstants: (statements: readonly string[]): readonly string[] => statements.map(maskConstants),
  testStatements,
  inspectSources,
  mapTestNames: (texts: readonly string[], mapping: SchemaMapping, bare: BareNames): readonly string[] =>
    texts.map((text) => mapTestNames(text, mapping, bare)),
} as const;

/** The names of the operations, with their types. */
export type Operations = typeof operations;
