// One local cluster for the demo, the end-to-end tests and people: `npm run cluster`, or these functions.
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { buildOperator } from '../build.ts';
import { buildImage } from '../images/image.ts';
import type { Image } from '../images/image.ts';
import { buildParts, type PartName } from '../images/index.ts';
import { operatorImage } from '../images/operator.ts';
import { cacheRoot } from '../lib/cache.ts';
import { withLock } from '../lib/lock.ts';
import { createLog } from '../lib/log.ts';
import type { Log } from '../lib/log.ts';
import { Refused } from '../lib/refused.ts';
import { ensureTool } from '../toolchain/index.ts';
import { clientPrograms } from './clients.ts';
import { choose, lookAround } from './detect.ts';
import { existingProvider } from './existing.ts';
import { applyGatewayApi, installGateway } from './gateway.ts';
import { hostProvider } from './host/provider.ts';
import { kindProvider } from './kind/kind.ts';
import { kubectlFor } from './kubectl.ts';
import { productImages } from './types.ts';
import type { Cluster, ProductImage, Provider, ProviderName } from './types.ts';

export { Refused } from '../lib/refused.ts';
export type { Cluster } from './types.ts';

/** What callers may choose. */
export interface ClusterOptions {
  provider?: string | undefined;
  ingressUrl?: string | undefined;
  log?: Log;
}

function providerNamed(name: ProviderName, ingressUrl: string | undefined): Provider {
  if (name === 'host') return hostProvider();
  return name === 'kind' ? kindProvider() : existingProvider(ingressUrl);
}

/** The provider that this machine, or the caller's wish, leads to; says which and why. */
export async function selectProvider({ provider, ingressUrl, log }: ClusterOptions): Promise<Provider> {
  const choice = choose(await lookAround(provider));
  if ('problem' in choice) throw new Refused(choice.problem);
  log?.say(`Cluster: ${choice.provider}, because ${choice.because}.`);
  return providerNamed(choice.provider, ingressUrl);
}

async function confirm(plan: readonly string[], yes: boolean, log: Log): Promise<void> {
  if (plan.length === 0) return;
  log.say('Bringing the cluster up changes this machine:');
  for (const line of plan) log.say(`  - ${line}`);
  if (yes || process.env.CI === 'true') return;
  if (!process.stdin.isTTY)
    throw new Refused('Nobody is here to agree to that: pass --yes (or set CI=true).');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question('Go ahead? [y/N] ');
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Refused('Nothing was changed.');
}

/**
 * Says what bringing a cluster up would change and asks whether to go ahead; nothing to say when it is up. For commands
 * that only begin with the cluster: where nobody is at a terminal to be asked, running them is the answer.
 */
export async function agree(options: ClusterOptions & { yes?: boolean }): Promise<void> {
  const log = options.log ?? createLog();
  const provider = await selectProvider({ ...options, log });
  await confirm(await provider.plan(), options.yes === true || !process.stdin.isTTY, log);
}

/**
 * Brings a cluster up unless it is up, and returns how to use it. Idempotent, and quick on a cluster that is well; two
 * callers at once wait for each other. Everything is built first, so a failed build changes nothing of the machine but
 * the cache and the Debian packages. `agreed`: the change was announced already (`agree`).
 */
export async function ensureCluster(
  options: ClusterOptions & { yes?: boolean; agreed?: boolean },
): Promise<Cluster> {
  const log = options.log ?? createLog();
  const provider = await selectProvider(options.agreed ? options : { ...options, log });
  if (!options.agreed) await confirm(await provider.plan(), options.yes === true, log);
  const clients = await clientPrograms(provider.name, log);
  if (provider.name === 'host') await ensureTool('etcd', log);
  const parts = await buildParts([...provider.ownImages, ...productImages], log);
  const access = await provider.up([...parts.values()], log);
  const reference = (name: ProductImage): string => parts.get(name)?.reference ?? '';
  return {
    provider: provider.name,
    ...access,
    images: {
      operator: '',
      postgrest: reference('postgrest'),
      gate: reference('gate'),
      pgbouncer: reference('pgbouncer'),
      'pgbouncer-exporter': reference('pgbouncer-exporter'),
      postgres: reference('postgres'),
    },
    ...clients,
  };
}

/** Builds the operator's image: quick when nothing changed, one at a time because the bundle has one folder. */
function buildOperatorImage(log: Log): Promise<Image> {
  return withLock(join(cacheRoot(), 'locks', 'operator'), log, async () =>
    buildImage(await operatorImage(await buildOperator(log), log), log),
  );
}

/** Builds the operator's image and brings it into the cluster; returns its reference. */
export async function loadOperator(
  cluster: Pick<Cluster, 'provider' | 'ingressUrl'>,
  log: Log = createLog(),
): Promise<string> {
  const image = await buildOperatorImage(log);
  await providerNamed(cluster.provider, cluster.ingressUrl).load(image, log);
  return image.reference;
}

/** Builds an image that only some journeys need, where it is not there yet, and brings it into the cluster. */
export async function loadPart(
  cluster: Pick<Cluster, 'provider'>,
  name: PartName,
  log: Log = createLog(),
): Promise<Image> {
  const image = (await buildParts([name], log)).get(name);
  if (image === undefined) throw new Error(`the image ${name} was not built`);
  await providerNamed(cluster.provider, undefined).load(image, log);
  return image;
}

/** Makes the cluster know the kinds of Gateway API, which is quick and needs no Gateway to be there. */
export async function ensureGatewayApi(
  cluster: Pick<Cluster, 'kubectl' | 'kubeconfig'>,
  log: Log,
): Promise<void> {
  await applyGatewayApi(kubectlFor(cluster.kubectl, cluster.kubeconfig), log);
}

/**
 * Installs a Gateway served by Traefik, beside ingress-nginx, and returns the address at which it answers. Not part of
 * `ensureCluster`: only who needs a Gateway waits for Traefik's build. Refused on a cluster of somebody's own.
 */
export async function ensureGateway(
  cluster: Pick<Cluster, 'provider' | 'kubectl' | 'kubeconfig'>,
  log: Log = createLog(),
): Promise<string> {
  if (cluster.provider === 'existing')
    throw new Refused('A Gateway is installed into a local cluster only, not into one of your own.');
  const image = await loadPart(cluster, 'traefik', log);
  return installGateway(kubectlFor(cluster.kubectl, cluster.kubeconfig), image, log);
}

/** Removes the cluster; says what it leaves. */
export async function downCluster(options: ClusterOptions = {}): Promise<void> {
  const log = options.log ?? createLog();
  const provider = await selectProvider({ ...options, log });
  await provider.down(log);
}
