import { z } from 'zod';
import { rule } from './rule.ts';

const named = z.object({ metadata: z.object({ name: z.string() }) });
const label = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

/**
 * An ApiInstance as far as the rule over its root reaches. Its name is that of a Service, and with a suffix
 * (`<name>-r<revision>-<5 hex>`) that of others: at most 40 characters leave room for that within 63.
 */
export const namedApiInstance = rule(named, {
  cel: `self.metadata.name.size() <= 40 && self.metadata.name.matches('${label.source}')`,
  js: ({ metadata: { name } }) => name.length <= 40 && label.test(name),
  message:
    "metadata.name of an ApiInstance has at most 40 characters, lower case letters, digits and '-', and begins with a letter: Services are named after it",
});

/** An ApiSchema as far as the rule over its root reaches. Its name is used as a label value, which has at most 63. */
export const namedApiSchema = rule(named, {
  cel: 'self.metadata.name.size() <= 63',
  js: ({ metadata: { name } }) => name.length <= 63,
  message: 'metadata.name of an ApiSchema has at most 63 characters: it is used as a label value',
});
