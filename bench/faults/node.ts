import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { identify, isAlive, running, startDaemon, stopDaemon } from '../../hack/lib/daemon.ts';
import { inHost } from '../../hack/cluster/host/layout.ts';

/** The machine under the cluster, for faults that the Kubernetes API cannot make. */
export interface Node {
  /**
   * Sends SIGKILL to every process of a pod whose command line matches, and waits until they are gone. Gives how many
   * there were.
   */
  kill(podUid: string, command: RegExp): Promise<number>;
  /** Ends the API server by SIGKILL. What it gives starts it again, as it was. */
  killApiServer(): Promise<() => Promise<void>>;
}

/** The node of the `host` cluster, which is this machine; undefined for every other cluster. */
export function nodeOf(kubeconfig: string): Node | undefined {
  return kubeconfig === inHost('kubeconfig') ? { kill, killApiServer } : undefined;
}

async function kill(podUid: string, command: RegExp): Promise<number> {
  const victims = processesOf(podUid).flatMap((pid) => {
    const identity = identify(pid);
    return identity !== undefined && command.test(commandLine(pid).join(' ')) ? [identity] : [];
  });
  for (const { pid } of victims) signal(pid);
  while (victims.some((victim) => isAlive(victim))) await delay(1);
  return victims.length;
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended between the look and the signal.
  }
}

/** Every process in the control groups of a pod, which are named after its uid. */
function processesOf(podUid: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => read(`/proc/${pid}/cgroup`).includes(`/pod${podUid}/`))
    .map(Number);
}

function commandLine(pid: number): string[] {
  return read(`/proc/${pid}/cmdline`).split('\0').slice(0, -1);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // It has just ended.
  }
}

async function killApiServer(): Promise<() => Promise<void>> {
  const pidFile = inHost('run', 'kube-apiserver.pid');
  const identity = running(pidFile);
  const [command, ...args] = identity === undefined ? [] : commandLine(identity.pid);
  if (command === undefined) throw new Error('the API server does not run');
  await stopDaemon(pidFile, { signal: 'SIGKILL' });
  return async () => {
    await startDaemon({ command, args, pidFile, logFile: inHost('logs', 'kube-apiserver.log') });
  };
}
