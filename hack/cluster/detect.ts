import { existsSync } from 'node:fs';
import { attempt, hasCommand } from '../lib/exec.ts';
import { findGo } from '../toolchain/index.ts';
import { hostFolder } from './host/layout.ts';
import type { ProviderName } from './types.ts';

/** What is known of the machine. */
export interface Facts {
  /** What was asked for, if anything. */
  asked?: string | undefined;
  /** Whether a host cluster is there already. */
  hostCluster: boolean;
  docker: boolean;
  linux: boolean;
  root: boolean;
  aptGet: boolean;
  go: boolean;
}

/** The choice and its reason, or why there is none. */
export type Choice = { provider: ProviderName; because: string } | { problem: string };

const names: readonly string[] = ['host', 'kind', 'existing'] satisfies ProviderName[];

function isProvider(name: string): name is ProviderName {
  return names.includes(name);
}

function lacksForHost(facts: Facts): string[] {
  return [
    ...(facts.linux ? [] : ['Linux']),
    ...(facts.root ? [] : ['root (run it with sudo)']),
    ...(facts.aptGet ? [] : ['apt-get (Debian or a relative)']),
    ...(facts.go ? [] : ['Go 1.24 or newer']),
  ];
}

/** Decides where the cluster runs. An existing cluster is only used when asked for: it may be anybody's. */
export function choose(facts: Facts): Choice {
  const { asked } = facts;
  if (asked !== undefined && asked !== '') {
    return isProvider(asked)
      ? { provider: asked, because: 'it was asked for' }
      : { problem: `There is no provider "${asked}": it is one of ${names.join(', ')}` };
  }
  if (facts.hostCluster) return { provider: 'host', because: 'a host cluster is there already' };
  if (facts.docker) return { provider: 'kind', because: 'a Docker engine answers' };
  const lacks = lacksForHost(facts);
  if (lacks.length === 0) {
    return {
      provider: 'host',
      because: 'no Docker engine answers, and this is a Debian machine where we are root',
    };
  }
  return {
    problem: [
      'This machine cannot have a local cluster as it is.',
      '  kind needs a Docker engine: `docker info` does not answer.',
      `  host needs: ${lacks.join(', ')}.`,
      '  existing uses the cluster of your KUBECONFIG: ask for it with --provider existing.',
    ].join('\n'),
  };
}

/** Looks at the machine. */
export async function lookAround(asked: string | undefined): Promise<Facts> {
  const [docker, aptGet, go] = await Promise.all([
    attempt('docker', ['info', '--format', '{{.ServerVersion}}'], { timeoutMs: 10_000 }),
    hasCommand('apt-get'),
    findGo(),
  ]);
  return {
    asked: asked ?? process.env.PGRST_CLUSTER,
    hostCluster: existsSync(hostFolder()),
    // Older clients end well without a server: then they print no version.
    docker: docker.code === 0 && docker.stdout.trim() !== '',
    linux: process.platform === 'linux',
    root: process.getuid?.() === 0,
    aptGet,
    go: go !== undefined,
  };
}
