import { until } from '../lib/wait.ts';
import type { Kubectl } from './kubectl.ts';

/** Waits until ingress-nginx answers at its address: 404 from its default backend until something is routed. */
export async function awaitIngress(kubectl: Kubectl, url: string): Promise<void> {
  const deployment = 'deployment/ingress-nginx-controller';
  await kubectl(['--namespace', 'ingress-nginx', 'rollout', 'status', deployment, '--timeout=180s']);
  await until(
    `ingress-nginx answers at ${url}`,
    async () => {
      const response = await fetch(url, {
        headers: { host: 'nobody.invalid' },
        signal: AbortSignal.timeout(2_000),
      });
      await response.text();
      return response.status === 404 ? true : undefined;
    },
    { timeoutMs: 60_000, everyMs: 200 },
  );
}
