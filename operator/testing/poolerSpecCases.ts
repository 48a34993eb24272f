import { poolerParameters, refusedPoolerParameters, valuesOf } from '../api/v1alpha1/poolerParameters.ts';
import { withValue } from './apiObjects.ts';
import { accepted, instanceWith, refused, type SpecCase } from './specCase.ts';

const ca = { name: 'ca', key: 'ca.crt' };
const parameters = (given: Readonly<Record<string, unknown>>) =>
  instanceWith('spec.pooler', { parameters: given });

/** Every parameter of PgBouncer that may be set, at its bounds and beyond, and every one that may not. */
export const poolerCases: readonly SpecCase[] = [
  accepted('a pooler of defaults', instanceWith('spec.pooler', {})),
  accepted(
    'every parameter of PgBouncer at its default',
    parameters(
      Object.fromEntries(Object.entries(poolerParameters).map(([name, { byDefault }]) => [name, byDefault])),
    ),
  ),
  ...Object.entries(poolerParameters).flatMap(([name, parameter]) => {
    const { values } = parameter;
    const right = 'words' in values ? values.words : [String(values.from), String(values.to)];
    const wrong =
      'words' in values
        ? ['other']
        : [...(values.from === 0 ? [] : [String(values.from - 1)]), String(values.to + 1), '-1', '1s', ''];
    const rule = `${name} is ${valuesOf(parameter)}`;
    return [
      ...right.map((value) => accepted(`${name} = ${value}`, parameters({ [name]: value }))),
      ...wrong.map((value) => refused(`${name} = "${value}"`, parameters({ [name]: value }), { rule })),
    ];
  }),
  ...refusedPoolerParameters.flatMap(({ names, why }) =>
    names.map((name) => refused(name, parameters({ [name]: '1' }), { rule: `${name} ${why}` })),
  ),
  refused('a parameter that PgBouncer does not have', parameters({ max_conn: '1' }), {
    rule: 'a parameter of pooler.parameters is none that the operator knows; it takes application_name_add_host',
  }),
  accepted(
    'certificates for PgBouncer',
    withValue(instanceWith('spec.pooler', {}), 'spec.database.tls', { mode: 'verify-full', caSecretRef: ca }),
  ),
  refused(
    'a mode that verifies without certificates',
    withValue(instanceWith('spec.pooler', {}), 'spec.database.tls', { mode: 'verify-ca' }),
    { rule: 'caSecretRef goes with the modes verify-ca and verify-full, and they need it' },
  ),
  refused(
    'certificates that nobody looks at',
    withValue(instanceWith('spec.pooler', {}), 'spec.database.tls', { mode: 'require', caSecretRef: ca }),
    { rule: 'caSecretRef goes with the modes verify-ca and verify-full, and they need it' },
  ),
  refused('TLS of a pooler that is not there', instanceWith('spec.database.tls', { mode: 'require' }), {
    rule: 'database.tls is for the connections of PgBouncer',
  }),
  refused(
    'fewer server connections than two revisions need',
    instanceWith('spec.pooler', { replicas: 3, maxServerConnections: 5 }),
    { rule: 'pooler.maxServerConnections is at least twice pooler.replicas' },
  ),
  accepted(
    'as many server connections as two revisions need',
    instanceWith('spec.pooler', { replicas: 3, maxServerConnections: 6 }),
  ),
];
