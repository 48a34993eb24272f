#!/usr/bin/env node
// The command line tool: a table of subcommands.
import { UsageError } from './files.ts';
import { lintCommand, type CommandResult } from './lintCommand.ts';

type Command = (args: readonly string[], signal: AbortSignal) => Promise<CommandResult>;

const commands: Readonly<Record<string, { readonly run: Command; readonly about: string }>> = {
  lint: { run: lintCommand, about: 'judge SQL before it runs' },
};

const help = `pgrst COMMAND ...\n\n${Object.entries(commands)
  .map(([name, { about }]) => `  ${name}  ${about} (pgrst ${name} --help)\n`)
  .join('')}`;

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    stop.abort();
  });

async function run([name = '', ...args]: readonly string[]): Promise<number> {
  if (name === '--help' || name === '-h') {
    process.stdout.write(help);
    return 0;
  }
  const command = commands[name];
  if (command === undefined) throw new UsageError(`There is no command ${name}\n\n${help}`);
  const { output, exitCode } = await command.run(args, stop.signal);
  process.stdout.write(output);
  return exitCode;
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`pgrst: ${message}\n`);
  // Anything else than a clean bill or findings is neither: a hook must not take it for one.
  process.exitCode = 2;
}
