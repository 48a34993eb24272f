// One process that is what a cluster without nodes lacks: the controllers and kubelets behind Deployments, the gates of
// the pods, and one replica of an ingress controller. Prints a line once it answers; ends with its standard input.
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { cacheSelections } from '../../operator/controllers/apiinstance/caches.ts';
import { systemClock } from '../../operator/runtime/clock.ts';
import { createInformer, type Informer } from '../../operator/runtime/informer.ts';
import { connect } from './controlPlane.ts';
import { startDataPlane } from './dataPlane.ts';
import { startDeployments } from './deployments.ts';

/** What the process takes, as JSON in its one argument. */
export interface FakeOptions {
  readonly kubeconfig: string;
  /** Where the ingress controller listens. */
  readonly ingress: { readonly ip: string; readonly port: number };
}

const { kubeconfig, ingress } = JSON.parse(process.argv[2] ?? '{}') as FakeOptions;
const client = connect(kubeconfig);
const log = pino({ level: 'warn' }, pino.destination(2));
const informer = (kind: 'deployments' | 'pods' | 'services' | 'ingresses'): Informer =>
  createInformer({ client, clock: systemClock, rng: Math.random, log, ...cacheSelections[kind] });
const caches = {
  deployments: informer('deployments'),
  pods: informer('pods'),
  services: informer('services'),
  ingresses: informer('ingresses'),
};
await Promise.all(Object.values(caches).map(({ ready }) => ready));
startDeployments(client, caches, log);
await startDataPlane(caches, ingress);
console.log('ready');
await text(process.stdin);
process.exit(0);
