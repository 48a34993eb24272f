// The programs that the local cluster and the tests are made of, built from source by the Go toolchain and kept by
// version. Each folder here is a Go module whose go.mod and go.sum pin everything that goes into one program.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { cached, cacheRoot, fingerprint, fingerprintFiles } from '../lib/cache.ts';
import { attempt, run } from '../lib/exec.ts';
import { withLock } from '../lib/lock.ts';
import { Refused } from '../lib/refused.ts';
import type { Log } from '../lib/log.ts';
import { recipes } from './recipes.ts';
import type { Recipe, Tool } from './recipes.ts';

export type { Tool } from './recipes.ts';

/** The folder of a tool's Go module in this repository. */
export function moduleFolder(tool: Tool): string {
  return join(import.meta.dirname, tool);
}

function recipeFiles(tool: Tool): string[] {
  const folder = moduleFolder(tool);
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.go$|(^|\/)go\.(mod|sum)$/.test(file))
    .sort()
    .map((file) => join(folder, file));
}

/** The `go` command: the one on the PATH, or the usual place of a manual installation. */
export async function findGo(): Promise<string | undefined> {
  for (const candidate of ['go', '/usr/local/go/bin/go']) {
    if ((await attempt(candidate, ['version'])).code === 0) return candidate;
  }
  return undefined;
}

/** Builds a tool unless it is there already; returns the path of its program. */
export async function ensureTool(tool: Tool, log: Log): Promise<string> {
  const recipe: Recipe = recipes[tool];
  // The Go release is not part of the key: an upgrade of Go is no reason to build Kubernetes for five minutes again.
  const key = fingerprint(fingerprintFiles(recipeFiles(tool)), recipe.source, recipe.flags);
  const folder = join(cacheRoot(), 'bin', `${tool}-${recipe.version}-${key}`);
  if (!existsSync(folder)) {
    await withLock(join(cacheRoot(), 'locks', `tool-${tool}`), log, () =>
      cached(folder, (temporary) => build(tool, recipe, temporary, log)).then(() => undefined),
    );
  }
  return join(folder, tool);
}

async function build(tool: Tool, recipe: Recipe, folder: string, log: Log): Promise<void> {
  const go = await findGo();
  if (go === undefined)
    throw new Refused(`Go is needed to build ${tool}: install Go 1.24 or newer and put it on the PATH`);
  mkdirSync(folder, { recursive: true });
  const options = {
    cwd: moduleFolder(tool),
    // The machine's own flags and workspaces must not leak into a pinned build; CGO off makes the programs static.
    env: { CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '', GOOS: 'linux', GOARCH: '' },
    logFile: join(cacheRoot(), 'logs', `build-${tool}.log`),
  };
  const args = [
    'build',
    '-mod=readonly',
    '-buildvcs=false',
    '-trimpath',
    '-ldflags',
    `-s -w ${recipe.flags}`.trim(),
  ];
  const title = `building ${tool} ${recipe.version}, once (about ${recipe.takes} on two cores)`;
  await log.step(title, () => run(go, [...args, '-o', join(folder, tool), recipe.source], options));
  for (const name of recipe.names ?? []) symlinkSync(tool, join(folder, name));
}

/** One of the programs inside the Kubernetes binary, which acts by the name it is called. */
export async function ensureKubernetes(name: string, log: Log): Promise<string> {
  return join(await ensureTool('kubernetes', log), '..', name);
}

/** Makes `bin/<name>` in the cache point to a program, so that people can call it by an address that stays. */
export function linkTool(name: string, program: string): string {
  const link = join(cacheRoot(), 'bin', name);
  const temporary = `${link}.${String(process.pid)}`;
  rmSync(temporary, { force: true });
  symlinkSync(program, temporary);
  renameSync(temporary, link);
  return link;
}
