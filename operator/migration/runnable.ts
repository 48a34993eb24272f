/** One statement, ready to run: what of it the runner needs to know, without its parse tree. */
export interface RunnableStatement {
  /** Counted from 1. */
  readonly number: number;
  /** Its first line in the whole text, counted from 1. */
  readonly line: number;
  /** The statement, without its semicolon. */
  readonly text: string;
  /** Set when PostgreSQL does not run it inside a transaction: it runs alone, between two writes of the ledger. */
  readonly solo?: Solo;
  /** Set for SET, RESET and set_config: what comes after them in another transaction needs them too. */
  readonly isSetting?: true;
  /** Set when nothing of it can outlast its transaction in the session: it sets nothing and calls no function. */
  readonly keepsSession?: true;
}

/** A relation or type name as the statement has it; without a schema it is found on the search_path. */
export interface SqlName {
  readonly schema?: string;
  readonly name: string;
}

/** How a statement that ran alone and was interrupted is taken up again. */
export type Solo =
  /** CREATE INDEX CONCURRENTLY: the catalog says whether the index is there, half-built, or not. */
  | { readonly kind: 'createIndex'; readonly index: string; readonly table: SqlName }
  /** DROP INDEX CONCURRENTLY: what is gone is dropped. */
  | { readonly kind: 'dropIndex'; readonly indexes: readonly SqlName[] }
  /** ALTER TYPE ... ADD VALUE: the catalog says whether the label is there. */
  | { readonly kind: 'addEnumValue'; readonly type: SqlName; readonly value: string }
  /** ALTER TABLE ... DETACH PARTITION CONCURRENTLY: the catalog says whether it is done, begun, or not. */
  | { readonly kind: 'detachPartition'; readonly table: SqlName; readonly partition: SqlName }
  /** REINDEX: doing it again does no harm, once the half-built copies are gone that CONCURRENTLY leaves. */
  | { readonly kind: 'reindex'; readonly command: string; readonly isConcurrent: boolean }
  /** Doing it again does no harm (VACUUM, CLUSTER, ALTER SYSTEM). */
  | { readonly kind: 'repeatable'; readonly command: string }
  /** Only its author can know whether it may be done again, and has said so (`idempotent: true`). */
  | { readonly kind: 'idempotent'; readonly command: string };
