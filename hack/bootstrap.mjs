// The one entry of every npm script: makes sure that the dependencies of package-lock.json are installed, then runs
// the given TypeScript file with the Node that package.json pins. Plain JavaScript without imports from npm, because it
// is what runs before there is a node_modules, on whatever Node the machine has (18 or newer).
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const node = join(root, 'node_modules', '.bin', 'node');
const stamp = join(root, 'node_modules', '.postgrest-operator-lock');

function installDependencies() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(node) && existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  const started = Date.now();
  process.stderr.write('==> npm ci: installing the pinned npm packages, Node 24 among them (about 20 s)\n');
  // --engine-strict=false: the packages want Node >= 22; npm itself runs on the machine's Node, they run on Node 24.
  const npm = spawnSync(
    'npm',
    ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--engine-strict=false'],
    {
      cwd: root,
      stdio: ['ignore', 2, 2],
    },
  );
  if (npm.status !== 0) {
    process.stderr.write('npm ci failed (above). Is the npm registry reachable?\n');
    process.exit(npm.status ?? 1);
  }
  if (!existsSync(node)) {
    process.stderr.write(
      `npm ci went through but ${node} is missing: the install script of the package "node" did not run. ` +
        'Allow install scripts (npm config set ignore-scripts false) and try again.\n',
    );
    process.exit(1);
  }
  writeFileSync(stamp, lock);
  process.stderr.write(`    done in ${((Date.now() - started) / 1000).toFixed(0)} s\n`);
}

installDependencies();
const [script, ...args] = process.argv.slice(2);
const child = spawn(node, [join(root, script), ...args], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}` },
});
// The child gets SIGINT from the terminal too; it decides when it is done cleaning up.
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => signal === 'SIGTERM' && child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
