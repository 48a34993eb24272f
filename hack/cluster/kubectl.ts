import { stringify } from 'yaml';
import { run } from '../lib/exec.ts';

/** Calls kubectl on one cluster; returns what it prints. */
export type Kubectl = (args: readonly string[], input?: string) => Promise<string>;

/** A kubectl bound to a kubeconfig. */
export function kubectlFor(program: string, kubeconfig: string): Kubectl {
  return (args, input) =>
    run(program, ['--kubeconfig', kubeconfig, ...args], input === undefined ? {} : { input });
}

/** Applies objects on the server's side; ours is the only hand that sets their fields. */
export async function applyObjects(kubectl: Kubectl, objects: readonly object[]): Promise<void> {
  const documents = objects.map((object) => stringify(object)).join('---\n');
  await kubectl(
    ['apply', '--server-side', '--force-conflicts', '--field-manager=postgrest-operator-hack', '-f', '-'],
    documents,
  );
}
