import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { loadPart, type Cluster } from '../../hack/cluster/index.ts';
import { createKubectl } from '../../hack/kube/kubectl.ts';
import { cached, cacheRoot } from '../../hack/lib/cache.ts';
import { run } from '../../hack/lib/exec.ts';
import type { Log } from '../../hack/lib/log.ts';
import { Refused } from '../../hack/lib/refused.ts';
import { findGo, moduleFolder } from '../../hack/toolchain/index.ts';
import { recipes } from '../../hack/toolchain/recipes.ts';

const namespace = 'argo-rollouts';
/** By which a later run knows what an interrupted one has left. */
const ownLabel = 'app.kubernetes.io/part-of=postgrest-operator-bench';

interface Document {
  readonly kind: string;
  readonly spec?: { readonly template?: { readonly spec?: { readonly containers?: Container[] } } };
}
interface Container {
  image: string;
  imagePullPolicy: string;
}

/**
 * Installs the controller as upstream does, by its own install.yaml, but for the image, which this machine has built from
 * the same version. Returns how to remove it. Refuses where somebody else has installed it.
 */
export async function installArgo(cluster: Cluster, log: Log): Promise<() => Promise<void>> {
  const kubectl = createKubectl(cluster);
  const crd = await kubectl(['get', 'crd', 'rollouts.argoproj.io', '--ignore-not-found', '-o', 'name']);
  const own = await kubectl(['get', 'namespace', '-l', ownLabel, '-o', 'name']);
  if (crd.trim() !== '' && !own.includes(namespace))
    throw new Refused('This cluster has Argo Rollouts already; the benchmark would remove it at its end.');

  const image = await loadPart(cluster, 'argo-rollouts', log);
  const manifests = await upstreamManifests(image.reference);
  const apply = (args: readonly string[]) => kubectl(['apply', '-f', '-', ...args], manifests);
  const remove = async (): Promise<void> => {
    await kubectl(['delete', '-n', namespace, '--ignore-not-found', '--timeout=120s', '-f', '-'], manifests);
    await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--timeout=120s']);
  };
  await log.step(`installing Argo Rollouts ${recipes['argo-rollouts'].version}`, async () => {
    await kubectl.attempt(['create', 'namespace', namespace]);
    await kubectl(['label', 'namespace', namespace, ownLabel, '--overwrite']);
    // On the server's side: the definitions are too large for the annotation that kubectl would write.
    await apply(['-n', namespace, '--server-side', '--force-conflicts']);
    await kubectl(['rollout', 'status', '-n', namespace, 'deployment/argo-rollouts', '--timeout=120s']);
  });
  return remove;
}

/** install.yaml out of the Go module, with another image. */
async function upstreamManifests(image: string): Promise<string> {
  const { version } = recipes['argo-rollouts'];
  const folder = join(cacheRoot(), 'downloads', `argo-rollouts-${version}`);
  await cached(folder, async (temporary) => {
    const go = await findGo();
    if (go === undefined) throw new Error("Go is needed for Argo Rollouts' manifests");
    const options = { cwd: moduleFolder('argo-rollouts'), env: { GOWORK: 'off', GOFLAGS: '-mod=readonly' } };
    const answer = await run(go, ['mod', 'download', '-json', 'github.com/argoproj/argo-rollouts'], options);
    const { Dir } = JSON.parse(answer) as { Dir?: string };
    if (Dir === undefined) throw new Error('The Go module cache does not have argo-rollouts');
    await run('cp', ['-r', join(Dir, 'manifests'), temporary]);
    // The module cache is read-only, and so would be its copy.
    await run('chmod', ['-R', 'u+w', temporary]);
  });
  const documents = parseAllDocuments(readFileSync(join(folder, 'install.yaml'), 'utf8')).map(
    (document) => document.toJS() as Document,
  );
  for (const { spec } of documents)
    for (const container of spec?.template?.spec?.containers ?? []) {
      container.image = image;
      container.imagePullPolicy = 'IfNotPresent';
    }
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: documents });
}
