// npm run cluster -- up | down | status | load | kubeconfig
import { parseArgs } from 'node:util';
import { CommandFailed } from '../lib/exec.ts';
import { createLog } from '../lib/log.ts';
import { TimedOut } from '../lib/wait.ts';
import { downCluster, ensureCluster, loadOperator, Refused, selectProvider } from './index.ts';

const usage = `Usage: npm run cluster -- <command> [options]

Commands:
  up          make a local Kubernetes cluster with ingress-nginx, or repair it; does nothing when it is well
  down        remove it
  status      say whether there is one, and what runs; ends with 1 when there is none
  load        build the operator's image and bring it into the cluster; prints its reference
  kubeconfig  print the path of the cluster's kubeconfig

Options:
  --provider host|kind|existing   where; without it the machine decides (PGRST_CLUSTER does the same)
  --ingress-url URL               where the ingress of an existing cluster answers (or PGRST_INGRESS_URL)
  --yes                           agree to what \`up\` says it will change on this machine (or CI=true)
`;

const commands = ['up', 'down', 'status', 'load', 'kubeconfig'] as const;
type Command = (typeof commands)[number];

interface Input {
  command: Command;
  provider?: string | undefined;
  ingressUrl?: string | undefined;
  yes: boolean;
}

/** Reads the command line; throws with a sentence when it makes no sense. */
export function parse(args: readonly string[]): Input | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      provider: { type: 'string' },
      'ingress-url': { type: 'string' },
      yes: { type: 'boolean', short: 'y', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help || positionals[0] === 'help') return 'help';
  const [word, ...more] = positionals;
  const command = commands.find((name) => name === word);
  if (command === undefined)
    throw new Error(word === undefined ? 'Which command?' : `There is no command "${word}".`);
  if (more.length > 0) throw new Error(`"${more.join(' ')}" makes no sense after "${command}".`);
  return { command, provider: values.provider, ingressUrl: values['ingress-url'], yes: values.yes };
}

async function execute({ command, ...options }: Input): Promise<number> {
  const log = createLog();
  if (command === 'up') {
    const cluster = await ensureCluster({ ...options, log });
    log.say(`The cluster is up. Ingress: ${cluster.ingressUrl}`);
    log.say(`  export KUBECONFIG=${cluster.kubeconfig}`);
    log.say(`  ${cluster.kubectl} get pods --all-namespaces`);
    return 0;
  }
  if (command === 'down') {
    await downCluster({ ...options, log });
    return 0;
  }
  const provider = await selectProvider(command === 'status' ? { ...options, log } : options);
  if (command === 'status') {
    const { exists, lines } = await provider.status();
    log.say(exists ? 'There is a cluster.' : 'There is none.');
    for (const line of lines) log.say(line);
    return exists ? 0 : 1;
  }
  const access = await provider.access();
  const answer =
    command === 'load' ? await loadOperator({ provider: provider.name, ...access }, log) : access.kubeconfig;
  process.stdout.write(`${answer}\n`);
  return 0;
}

async function main(args: readonly string[]): Promise<number> {
  let input: Input | 'help';
  try {
    input = parse(args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
  if (input === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  try {
    return await execute(input);
  } catch (error) {
    if (!(error instanceof Refused || error instanceof CommandFailed || error instanceof TimedOut))
      throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
