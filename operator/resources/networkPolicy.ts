import type { ApiInstanceSpec } from '../api/v1alpha1/apiInstance.ts';
import type { KubeObject } from '../runtime/object.ts';
import {
  instanceSelector,
  labels,
  names,
  ownedMetadata,
  poolerSelector,
  type Component,
  type Owner,
} from './names.ts';
import { adminPort, exporterPort, poolerPort, publicPort } from './ports.ts';

/** A place where somebody runs who has to reach the pods. */
export interface Place {
  readonly namespace: string;
}

/** Who has to reach the pods of every instance. */
export interface Callers {
  /** The ingress-nginx controller. */
  readonly ingress: Place;
  /** What serves Gateways; undefined where the operator was not told. */
  readonly gateway: Place | undefined;
  readonly operator: Place;
}

/** A NetworkPolicyPeer. */
type Peer = Readonly<Record<string, unknown>>;

/**
 * The policies of an instance: who may open connections to its PostgREST pods and to its pooler. None where the spec
 * has no `networkPolicy`. They speak of ingress alone: what pods connect to (the database, services of routes) is
 * nobody's to guess.
 */
export function networkPolicies(
  owner: Owner,
  spec: Pick<ApiInstanceSpec, 'expose' | 'networkPolicy' | 'pooler'>,
  from: Callers,
): KubeObject[] {
  const { expose, networkPolicy, pooler } = spec;
  if (!networkPolicy) return [];
  const router = expose.router === 'GatewayAPI' ? from.gateway : from.ingress;
  const peers = [peerOf(from.operator), ...networkPolicy.allowFrom];
  const api = policy(owner, 'api', instanceSelector(owner.name), [
    rule([...(router ? [peerOf(router)] : []), ...peers], publicPort),
    rule(peers, adminPort),
  ]);
  if (!pooler) return [api];
  const pods = { podSelector: { matchLabels: instanceSelector(owner.name) } };
  // The operator asks each process over its console, which listens where clients do.
  const users = [pods, peerOf(from.operator)];
  return [
    api,
    policy(owner, 'pooler', poolerSelector(owner.name), [rule(users, poolerPort), rule(peers, exporterPort)]),
  ];
}

function policy(
  owner: Owner,
  component: Component,
  matchLabels: Readonly<Record<string, string>>,
  ingress: readonly object[],
): KubeObject {
  const name = names(owner.name).networkPolicy(component);
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: ownedMetadata(owner, name, labels(owner.name, component)),
    spec: { podSelector: { matchLabels }, policyTypes: ['Ingress'], ingress },
  };
}

function rule(from: readonly Peer[], port: number): object {
  return { from, ports: [{ port, protocol: 'TCP' }] };
}

/** Everybody in a namespace. */
function peerOf({ namespace }: Place): Peer {
  return { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } };
}
