import type { Image } from '../images/image.ts';
import type { Log } from '../lib/log.ts';
import { until } from '../lib/wait.ts';
import { gatewayApiDefinitions, gatewayApiVersion } from '../toolchain/gatewayApi.ts';
import { applyObjects, type Kubectl } from './kubectl.ts';
import { gatewayRef, traefikManifests } from './manifests/traefik.ts';
import { gatewayPort } from './types.ts';

const marker = 'customresourcedefinition/httproutes.gateway.networking.k8s.io';

/** Brings the CustomResourceDefinitions of Gateway API into a cluster that does not have this version of them. */
export async function applyGatewayApi(kubectl: Kubectl, log: Log): Promise<void> {
  const path = String.raw`{.metadata.annotations.gateway\.networking\.k8s\.io/bundle-version}`;
  const found = await kubectl(['get', marker, '--ignore-not-found', '-o', `jsonpath=${path}`]);
  if (found.trim() === gatewayApiVersion) return;
  await log.step(`applying the definitions of Gateway API ${gatewayApiVersion}`, async () => {
    const documents = (await gatewayApiDefinitions()).join('\n---\n');
    const args = ['--server-side', '--force-conflicts', '--field-manager=postgrest-operator-hack'];
    await kubectl(['apply', ...args, '-f', '-'], documents);
    await kubectl(['wait', '--for=condition=Established', marker, '--timeout=60s']);
  });
}

/** Installs Traefik and its Gateway where they are not there in this form; returns the address at which it answers. */
export async function installGateway(kubectl: Kubectl, image: Image, log: Log): Promise<string> {
  const url = `http://127.0.0.1:${String(gatewayPort)}`;
  await applyGatewayApi(kubectl, log);
  await applyObjects(kubectl, traefikManifests({ image: image.reference, nodePort: gatewayPort }));
  await log.step('waiting for Traefik', async () => {
    const inNamespace = ['--namespace', gatewayRef.namespace];
    await kubectl([...inNamespace, 'rollout', 'status', 'deployment/traefik', '--timeout=180s']);
    const gateway = `gateway/${gatewayRef.name}`;
    await kubectl([...inNamespace, 'wait', '--for=condition=Programmed', gateway, '--timeout=60s']);
    await until(
      `Traefik answers at ${url}`,
      async () => {
        const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
        await response.text();
        return response.status === 404 ? true : undefined;
      },
      { timeoutMs: 60_000, everyMs: 200 },
    );
  });
  return url;
}
