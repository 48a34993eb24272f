import { attempt, run, type ExecResult } from '../lib/exec.ts';

/** What kubectl needs to reach a cluster. */
export interface Access {
  /** Path of the kubectl program. */
  readonly kubectl: string;
  /** Path of the kubeconfig file. */
  readonly kubeconfig: string;
}

/** kubectl against one cluster, the way a user runs it. */
export interface Kubectl {
  /** Runs it and gives its standard output; throws with its output when it fails. `input` goes to its standard input. */
  (args: readonly string[], input?: string): Promise<string>;
  /** Runs it and gives what came of it, whatever that is. */
  attempt(args: readonly string[], input?: string): Promise<ExecResult>;
}

/** kubectl bound to a cluster. Output that the caller wants to parse is asked for with `-o json`. */
export function createKubectl(access: Access): Kubectl {
  const options = (input: string | undefined) => ({
    env: { KUBECONFIG: access.kubeconfig },
    ...(input !== undefined && { input }),
  });
  return Object.assign(
    (args: readonly string[], input?: string) => run(access.kubectl, args, options(input)),
    {
      attempt: (args: readonly string[], input?: string) => attempt(access.kubectl, args, options(input)),
    },
  );
}
