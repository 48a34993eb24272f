/**
 * One fact of a schema, as `sql/description.sql` prints it. Names in it have the exposed schema's name, whichever release
 * they were read from.
 */
export type ApiFact = {
  /**
   * `schema`, `relation`, `column`, `function`, `parameter`, `type`, `trigger`, `rule`, `key`, `relationship`,
   * `default privileges`, or `other` (an operator, an aggregate, ...: no more than that it is there).
   */
  readonly kind: string;
  /** Plain name of the relation, type or function (without arguments) that it belongs to; empty where there is none. */
  readonly within: string;
  /** Name of what is described, as SQL would have it: `tasks`, `tasks.title`, `add(integer, text)`. Unique in its kind. */
  readonly object: string;
  /** Which of its properties: `type`, `definition`, `granted to anon`, ... */
  readonly aspect: string;
  /** The property; of definitions, bodies and what is longer than 256 bytes, `sha256:` and the hash. */
  readonly value: string;
};

/** All facts of a schema, in no particular order. */
export type ApiDescription = readonly ApiFact[];
