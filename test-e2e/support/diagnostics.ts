import type { Kubectl } from '../../hack/kube/kubectl.ts';
import { operatorNamespace } from '../../hack/kube/operator.ts';

/** Prints what a person needs to find out why a journey failed: objects, pods, Events, the operator's newest log lines. */
export async function printDiagnostics(kubectl: Kubectl, namespace: string): Promise<void> {
  const questions: readonly (readonly string[])[] = [
    ['get', 'apiinstance,apischema', '-n', namespace, '-o', 'yaml'],
    ['get', 'pods,deployments,services,ingresses,endpointslices', '-n', namespace, '-o', 'wide'],
    ['get', 'events.v1.events.k8s.io', '-n', namespace, '--sort-by=.metadata.creationTimestamp'],
    ['get', 'pods', '-n', operatorNamespace, '-o', 'wide'],
    [
      ...['logs', '-n', operatorNamespace, '-l', 'app.kubernetes.io/name=postgrest-operator'],
      ...['--prefix', '--tail=60', '--max-log-requests=10'],
    ],
  ];
  for (const question of questions) {
    const { stdout, stderr } = await kubectl.attempt(question);
    console.error(`\n$ kubectl ${question.join(' ')}\n${stdout}${stderr}`);
  }
}
