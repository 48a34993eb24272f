import { z } from 'zod';
import {
  poolerParameters,
  refusedPoolerParameters,
  takes,
  valuesOf,
  type PoolerParameter,
  type RefusedPoolerParameters,
} from './poolerParameters.ts';
import { atMost, rule } from './rule.ts';

type Parameters = Readonly<Record<string, string>>;

const given = atMost(z.record(z.string(), z.string().max(32)), 48);

/** Says of the first of these parameters that is there why it may not be. */
function refusing<S extends z.ZodType<Parameters>>(schema: S, { names, why }: RefusedPoolerParameters): S {
  return rule(schema, {
    cel: `!(${names.map((name) => `'${name}' in self`).join(' || ')})`,
    js: (value) => !names.some((name) => name in value),
    message: `${names.join(', ')} ${why}`,
    words: {
      cel: `(${names.map((name) => `'${name}' in self ? '${name}' : `).join('')}'') + ' ${why}'`,
      js: (value) => `${names.find((name) => name in value) ?? ''} ${why}`,
    },
  });
}

/** Holds one parameter to its values. */
function holding<S extends z.ZodType<Parameters>>(schema: S, name: string, parameter: PoolerParameter): S {
  const { values } = parameter;
  const value = `self['${name}']`;
  const isRight =
    'words' in values
      ? `${value} in [${values.words.map((word) => `'${word}'`).join(', ')}]`
      : `${value}.matches('^[0-9]{1,10}$') && int(${value}) >= ${values.from} && int(${value}) <= ${values.to}`;
  return rule(schema, {
    cel: `!('${name}' in self) || (${isRight})`,
    js: (given) => given[name] === undefined || takes(parameter, given[name]),
    message: `${name} is ${valuesOf(parameter)}`,
  });
}

const allowed = Object.entries(poolerParameters);
const known = [...allowed.map(([name]) => name), ...refusedPoolerParameters.flatMap(({ names }) => names)];

const parameters = allowed.reduce(
  (schema, [name, parameter]) => holding(schema, name, parameter),
  refusedPoolerParameters.reduce(
    (schema, group) => refusing(schema, group),
    rule(given, {
      cel: `self.all(name, name in [${known.map((name) => `'${name}'`).join(', ')}])`,
      js: (value) => Object.keys(value).every((name) => known.includes(name)),
      message: `a parameter of pooler.parameters is none that the operator knows; it takes ${allowed.map(([name]) => name).join(', ')}`,
    }),
  ),
);

/** `spec.pooler`. */
export const pooler = rule(
  z.object({
    replicas: z.int().min(1).max(20).default(2).describe('PgBouncer pods.'),
    poolSize: z
      .int()
      .min(1)
      .max(1000)
      .default(20)
      .describe(
        "Server connections of one revision in one PgBouncer pod; at most half of the pod's share of maxServerConnections, so that a candidate cannot take stable's.",
      ),
    maxServerConnections: z
      .int()
      .min(1)
      .max(10_000)
      .default(40)
      .describe(
        'Server connections of all revisions and all PgBouncer pods together, divided evenly over the pods.',
      ),
    image: z
      .string()
      .min(1)
      .max(512)
      .optional()
      .describe(
        "PgBouncer's image, 1.24 or newer. Absent: the operator's default, kept once the pooler runs, so that an operator upgrade rolls nothing.",
      ),
    parameters: parameters
      .optional()
      .describe(
        "Parameters of pgbouncer.ini by their names in PgBouncer's documentation, every value as a string. docs/reference/pooler.md lists them, and which are refused.",
      ),
  }),
  {
    cel: 'self.maxServerConnections >= 2 * self.replicas',
    js: ({ maxServerConnections, replicas }) => maxServerConnections >= 2 * replicas,
    message:
      'pooler.maxServerConnections is at least twice pooler.replicas: each PgBouncer pod needs a server connection for each of two revisions',
  },
);

/** `spec.pooler`, defaults filled in. */
export type PoolerSpec = z.infer<typeof pooler>;
