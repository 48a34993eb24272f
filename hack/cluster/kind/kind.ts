import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { cacheRoot } from '../../lib/cache.ts';
import { run } from '../../lib/exec.ts';
import { silent } from '../../lib/log.ts';
import { withLock } from '../../lib/lock.ts';
import { ensureTool } from '../../toolchain/index.ts';
import { clientPrograms } from '../clients.ts';
import { awaitIngress } from '../ingress.ts';
import { applyObjects, kubectlFor } from '../kubectl.ts';
import { ingressNginxManifests } from '../manifests/ingressNginx.ts';
import { gatewayPort, ingressPort } from '../types.ts';
import type { Access, Provider } from '../types.ts';

export const kindName = 'postgrest-operator';

/** kind's configuration: one node, whose node ports of these numbers are ports of this machine's loopback address. */
export function kindConfig(ports: readonly number[]): object {
  return {
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    kind: 'Cluster',
    nodes: [
      {
        role: 'control-plane',
        extraPortMappings: ports.map((port) => ({
          containerPort: port,
          hostPort: port,
          listenAddress: '127.0.0.1',
          protocol: 'TCP',
        })),
      },
    ],
  };
}

const folder = (): string => join(cacheRoot(), 'clusters', 'kind');

/** The commands of kind, in one place. `nodeImage` decides the release of Kubernetes; absent, it is kind's own choice. `kubeconfig` is a file of ours: the user's own is left alone. */
export const kindCommands = {
  list: (): string[] => ['get', 'clusters'],
  create: (kubeconfig: string, nodeImage?: string): string[] => [
    'create',
    'cluster',
    ...['--name', kindName],
    ...['--kubeconfig', kubeconfig],
    ...['--config', '-'],
    ...['--wait', '180s'],
    ...(nodeImage === undefined || nodeImage === '' ? [] : ['--image', nodeImage]),
  ],
  kubeconfig: (kubeconfig: string): string[] => [
    'export',
    'kubeconfig',
    '--name',
    kindName,
    '--kubeconfig',
    kubeconfig,
  ],
  load: (archive: string): string[] => ['load', 'image-archive', archive, '--name', kindName],
  remove: (kubeconfig: string): string[] => [
    'delete',
    'cluster',
    '--name',
    kindName,
    '--kubeconfig',
    kubeconfig,
  ],
};

/** A cluster in Docker containers, made by kind. Not tried on a machine without a Docker engine. */
export function kindProvider(): Provider {
  const access: Access = {
    kubeconfig: join(folder(), 'kubeconfig'),
    ingressUrl: `http://127.0.0.1:${String(ingressPort)}`,
  };
  const kind = async (args: readonly string[], input?: string): Promise<string> =>
    run(await ensureTool('kind', silent), args, input === undefined ? {} : { input });
  const exists = async (): Promise<boolean> =>
    (await kind(kindCommands.list())).split('\n').includes(kindName);

  return {
    name: 'kind',
    // The node image brings a DNS server and a pause image of its own.
    ownImages: ['ingress-nginx'],
    async plan() {
      if (await exists()) return [];
      return [
        `a Docker container named ${kindName}-control-plane, out of kind's node image, which Docker fetches`,
        `ports ${String(ingressPort)} and ${String(gatewayPort)} of 127.0.0.1 for ingress-nginx and a Gateway`,
        `a kubeconfig in ${folder()}; built programs and images in the cache beside it`,
        '`down` removes the container and the kubeconfig; the cache and the node image stay',
      ];
    },
    access: () => Promise.resolve(access),
    up: (images, log) =>
      withLock(join(cacheRoot(), 'locks', 'cluster-kind'), log, async () => {
        await ensureTool('kind', log);
        mkdirSync(folder(), { recursive: true });
        if (await exists()) await kind(kindCommands.kubeconfig(access.kubeconfig));
        else {
          await log.step('creating the kind cluster', () =>
            kind(
              kindCommands.create(access.kubeconfig, process.env.PGRST_KIND_NODE_IMAGE),
              stringify(kindConfig([ingressPort, gatewayPort])),
            ),
          );
        }
        await log.step(`loading ${String(images.length)} images into kind`, async () => {
          for (const { archive } of images) await kind(kindCommands.load(archive));
        });
        const kubectl = kubectlFor((await clientPrograms('kind', log)).kubectl, access.kubeconfig);
        const controller = images.find(({ reference }) => reference.includes('/ingress-nginx:'));
        if (controller === undefined) throw new Error('the image ingress-nginx was not built');
        await applyObjects(
          kubectl,
          ingressNginxManifests({ image: controller.reference, nodePort: ingressPort }),
        );
        await log.step('waiting for ingress-nginx', () => awaitIngress(kubectl, access.ingressUrl));
        return access;
      }),
    load: async (image, log) => {
      await log.step('loading the image into kind', () => kind(kindCommands.load(image.archive)));
    },
    async down(log) {
      await log.step('removing the kind cluster', () => kind(kindCommands.remove(access.kubeconfig)));
      rmSync(folder(), { recursive: true, force: true });
      log.say(
        `Left as they are: kind's node image in Docker, and the programs and images in ${cacheRoot()}.`,
      );
    },
    async status() {
      if (!existsSync(folder()) || !(await exists())) return { exists: false, lines: [] };
      return { exists: true, lines: [`Docker container ${kindName}-control-plane`] };
    },
  };
}
