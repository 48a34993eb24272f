import type { KubeObject } from '../runtime/object.ts';
import { minimalApiInstance, minimalApiSchema, withValue } from './apiObjects.ts';

/** Who refuses an object, and in which words. */
export type Refusal =
  /** Server and zod, both in the words of our rule. */
  | { readonly rule: string }
  /** Server and zod, each in its own words; these are the server's. */
  | { readonly both: string }
  /** The server alone, zod drops what it does not know. */
  | { readonly server: string };

/** One object, and what is to become of it. */
export interface SpecCase {
  readonly sentence: string;
  readonly object: KubeObject;
  /** Absent: it is accepted. */
  readonly refusal?: Refusal;
}

/** The least ApiSchema with another value at a path. */
export const schemaWith = (path: string, value: unknown): KubeObject =>
  withValue(minimalApiSchema, path, value);
/** The least ApiInstance with another value at a path. */
export const instanceWith = (path: string, value: unknown): KubeObject =>
  withValue(minimalApiInstance, path, value);

/** A case that is accepted. */
export const accepted = (sentence: string, object: KubeObject): SpecCase => ({ sentence, object });
/** A case that is refused. */
export const refused = (sentence: string, object: KubeObject, refusal: Refusal): SpecCase => ({
  sentence,
  object,
  refusal,
});

/** A map of so many entries. */
export function many(count: number, key: (n: number) => string): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [key(n), 'x']));
}

/** The words in which a malformed duration is refused. */
export const durationForm = 'a duration is whole hours, minutes, seconds and milliseconds in this order';
