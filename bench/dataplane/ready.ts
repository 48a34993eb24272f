import { requireRunning, type Daemon } from '../../hack/lib/daemon.ts';
import { until } from '../../hack/lib/wait.ts';

/** Waits until the daemon answers a request with 200; throws the end of its log when it has ended. */
export async function answers(daemon: Daemon, url: string, method = 'GET'): Promise<void> {
  await until(url, async () => {
    requireRunning([daemon]);
    const { status } = await fetch(url, { method });
    if (status !== 200) throw new Error(`it answered ${String(status)}`);
    return true;
  });
}
