// `npm run demo`: the product's job, live, on a real cluster. See --help.
import { parseArgs } from 'node:util';
import {
  agree,
  downCluster,
  ensureCluster,
  loadOperator,
  Refused,
  selectProvider,
} from '../cluster/index.ts';
import { installOperator, operatorInstalled, uninstallOperator } from '../kube/operator.ts';
import { createLog } from '../lib/log.ts';
import { renderResult, succeeded } from './result.ts';
import { exampleNamespace, refuseForeignNamespace, removeExample, tellStory } from './story.ts';
import { createDisplay } from './terminal.ts';

const help = `npm run demo [-- options]

Brings up a local cluster, installs the operator, applies examples/tasks, releases version 2 under live traffic, rolls
back, and shows how a broken migration is refused. The last line is one JSON object with the figures.

  --keep       leave the cluster, the operator and the example as they are at the end
  --yes        do not ask before the machine is changed (nor is anybody asked where there is no terminal)
  --no-color   no colours
  --help       this text

Without --keep, what the demo brought up is removed at the end, also after Ctrl-C; what was there before stays.`;

const log = createLog();
const interrupted = new AbortController();
/** What has to be undone at the end, in this order. */
const undo: (() => Promise<void>)[] = [];

async function demo(options: { keep: boolean; yes: boolean; color: boolean }): Promise<boolean> {
  const stopAt = (): void => {
    interrupted.signal.throwIfAborted();
  };
  const existed = (await (await selectProvider({})).status()).exists;
  await agree({ yes: options.yes, log });
  if (!existed) undo.push(() => downCluster({ log }));
  const cluster = await ensureCluster({ agreed: true, log });
  stopAt();

  const operatorExisted = await operatorInstalled(cluster);
  if (existed && !operatorExisted) undo.unshift(() => uninstallOperator(cluster, log));
  const operator = await loadOperator(cluster, log);
  stopAt();
  await installOperator({ ...cluster, images: { ...cluster.images, operator } }, log);
  stopAt();

  await refuseForeignNamespace(cluster);
  await log.step('removing what an earlier demo has left', () => removeExample(cluster));
  if (existed) undo.unshift(() => log.step('removing the example', () => removeExample(cluster)));
  const display = createDisplay(process.stdout, options.color);
  const { result, samples } = await tellStory(cluster, display, interrupted.signal);

  if (options.keep) {
    undo.length = 0;
    console.log(`\nThe cluster stays. Next:\n${nextCommands(cluster).join('\n')}`);
  }
  await cleanUp();
  console.log(`\n${renderResult(result, samples).join('\n')}\n`);
  console.log(JSON.stringify(result));
  return succeeded(result);
}

function nextCommands({ kubeconfig, ingressUrl }: { kubeconfig: string; ingressUrl: string }): string[] {
  return [
    `  export KUBECONFIG=${kubeconfig}`,
    `  kubectl get apis -n ${exampleNamespace}`,
    `  kubectl get apischema/tasks -n ${exampleNamespace} -o jsonpath='{.status.lastError}'`,
    `  kubectl apply -f examples/tasks/v2/                                           # take the broken migration back`,
    `  kubectl annotate -n ${exampleNamespace} apiinstance/tasks pgrst.dev/action=retry --overwrite   # release version 2 again`,
    `  curl -i -H 'Host: tasks.example.test' ${ingressUrl}/tasks`,
    '  npm run cluster -- down',
  ];
}

async function cleanUp(): Promise<void> {
  for (const step of undo.splice(0)) await step();
}

const { values } = parseArgs({
  options: {
    keep: { type: 'boolean', default: false },
    yes: { type: 'boolean', default: false },
    color: { type: 'boolean', default: process.stdout.isTTY && process.env.NO_COLOR === undefined },
    help: { type: 'boolean', default: false },
  },
  allowNegative: true,
});

process.on('SIGINT', () => {
  // A second Ctrl-C is from somebody who does not want to wait for the clean-up.
  if (interrupted.signal.aborted) process.exit(130);
  console.error('\nInterrupted: cleaning up. Ctrl-C again leaves everything as it is.');
  interrupted.abort(new Error('interrupted'));
});

if (values.help) {
  console.log(help);
} else {
  try {
    const ok = await demo(values);
    process.exitCode = ok ? 0 : 1;
  } catch (error) {
    const known = error instanceof Refused || interrupted.signal.aborted;
    console.error(known || !(error instanceof Error) ? String(error) : error.stack);
    process.exitCode = interrupted.signal.aborted ? 130 : 1;
    if (!values.keep) await cleanUp();
  }
}
