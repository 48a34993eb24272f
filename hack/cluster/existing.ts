import { homedir } from 'node:os';
import { join } from 'node:path';
import { silent } from '../lib/log.ts';
import { Refused } from '../lib/refused.ts';
import { clientPrograms } from './clients.ts';
import { kubectlFor } from './kubectl.ts';
import type { Access, Provider } from './types.ts';

/** A cluster of somebody's own: it is used as it is, and neither made nor removed. */
export function existingProvider(ingressUrl: string | undefined): Provider {
  const kubeconfig = process.env.KUBECONFIG ?? join(homedir(), '.kube', 'config');

  const access = (): Promise<Access> => {
    const url = ingressUrl ?? process.env.PGRST_INGRESS_URL;
    if (url === undefined || url === '') {
      throw new Refused(
        'An existing cluster needs the address at which its ingress-nginx answers: --ingress-url http://… or PGRST_INGRESS_URL',
      );
    }
    return Promise.resolve({ kubeconfig, ingressUrl: url.replace(/\/+$/, '') });
  };

  return {
    name: 'existing',
    ownImages: [],
    plan: () => Promise.resolve([]),
    access,
    async up(images, log) {
      const found = await access();
      const kubectl = kubectlFor((await clientPrograms('existing', log)).kubectl, kubeconfig);
      await kubectl(['version']);
      await kubectl(['get', 'ingressclass', 'nginx']);
      log.say(
        `Using the cluster of ${kubeconfig} as it is. It must be able to run these images by these names:`,
      );
      for (const { reference, archive } of images) log.say(`  ${reference}   (archive: ${archive})`);
      return found;
    },
    load(image, log) {
      log.say(
        `Bring this image to your cluster's nodes or registry: ${image.reference} (archive: ${image.archive})`,
      );
      return Promise.resolve();
    },
    down() {
      throw new Refused('An existing cluster is not ours to remove');
    },
    async status() {
      const kubectl = kubectlFor((await clientPrograms('existing', silent)).kubectl, kubeconfig);
      const nodes = await kubectl(['get', 'nodes', '--output=name']).catch(() => '');
      return { exists: nodes !== '', lines: nodes.trim().split('\n') };
    },
  };
}
