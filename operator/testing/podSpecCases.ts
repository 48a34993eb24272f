import { accepted, instanceWith, many, refused, type SpecCase } from './specCase.ts';

const pod = (value: unknown) => instanceWith('spec.postgrest.podTemplate', value);
const ownLabels = "labels under pgrst.dev/ and app.kubernetes.io/ are the operator's own: remove them";
const labelForm = 'labels have keys such as example.com/team';

/** What is accepted and what is refused of the pods of an ApiInstance, and of who may reach them. */
export const podCases: readonly SpecCase[] = [
  accepted('a pod template without anything', pod({})),
  accepted('labels with and without a prefix', pod({ labels: { team: 'a_b.c', 'x.io/y': '' } })),
  ...['pgrst.dev/revision', 'pgrst.dev/x', 'app.kubernetes.io/component'].map((name) =>
    refused(`the label ${name}`, pod({ labels: { [name]: 'x' } }), { rule: ownLabels }),
  ),
  ...['a b', '/a', 'a/', 'A.io/b/c', 'EXAMPLE.com/a', '-a'].map((name) =>
    refused(`a label called ${name}`, pod({ labels: { [name]: 'x' } }), { rule: labelForm }),
  ),
  refused('a label with a blank in its value', pod({ labels: { team: 'a b' } }), { rule: labelForm }),
  refused('17 labels', pod({ labels: many(17, (n) => `l${n}`) }), { both: 'must have at most 16 items' }),
  refused('a pod annotation of the operator', pod({ annotations: { 'pgrst.dev/restarted-at': 'x' } }), {
    rule: "annotations under pgrst.dev/ are the operator's own: remove them",
  }),
  refused('a pod annotation with an odd key', pod({ annotations: { 'a b': 'x' } }), {
    rule: 'annotations have keys such as example.com/team',
  }),
  accepted('a pod annotation with any value', pod({ annotations: { 'a.io/b': 'x y\n"z"' } })),
  accepted('a node selector', pod({ nodeSelector: { 'kubernetes.io/arch': 'amd64' } })),
  refused('a node selector that no node can have', pod({ nodeSelector: { pool: 'a/b' } }), {
    rule: labelForm,
  }),
  refused('a priority class that cannot exist', pod({ priorityClassName: 'High' }), {
    both: 'spec.postgrest.podTemplate.priorityClassName: Invalid value',
  }),
  refused('pull Secrets by name alone', pod({ imagePullSecrets: ['registry'] }), {
    both: 'must be of type object',
  }),
  refused('containers of the user', pod({ containers: [] }), {
    server: 'unknown field "spec.postgrest.podTemplate.containers"',
  }),

  accepted('a network policy for the ingress alone', instanceWith('spec.networkPolicy', {})),
  accepted(
    'a network policy with peers',
    instanceWith('spec.networkPolicy', {
      allowFrom: [{ podSelector: {} }, { ipBlock: { cidr: '10.0.0.0/8' } }],
    }),
  ),
  refused(
    'a network policy with a peer that is none',
    instanceWith('spec.networkPolicy', { allowFrom: ['x'] }),
    {
      both: 'must be of type object',
    },
  ),
];
