// The real ingress-nginx controller, with Debian's nginx and Lua modules under it in place of upstream's own build.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { cached, cacheRoot, fingerprint } from '../lib/cache.ts';
import { run } from '../lib/exec.ts';
import type { Log } from '../lib/log.ts';
import { ensureTool, findGo, moduleFolder } from '../toolchain/index.ts';
import { recipes } from '../toolchain/recipes.ts';
import { baseEntries, ownFolders } from './common.ts';
import { debianLayer } from './debian.ts';
import type { ImageRecipe } from './image.ts';
import type { Entry } from './tar.ts';

const user = 101;

const packages = [
  'nginx-light',
  'libnginx-mod-http-lua',
  'libnginx-mod-http-ndk',
  'libnginx-mod-http-headers-more-filter',
  'libnginx-mod-http-set-misc',
  'libnginx-mod-stream',
  'lua-resty-core',
  'lua-resty-lrucache',
  'lua-cjson',
];

const modules = [
  'ndk_http',
  'ngx_http_lua',
  'ngx_http_headers_more_filter',
  'ngx_http_set_misc',
  'ngx_stream',
];

/**
 * Fits the controller's template to Debian's nginx: its modules are loaded, since nothing is compiled in, and the stream
 * block, whose Lua module Debian lacks, is reduced to the port that the controller calls after each change.
 */
export function adaptTemplate(template: string): string {
  const loading = modules
    .map((module) => `load_module /usr/lib/nginx/modules/${module}_module.so;`)
    .join('\n');
  const stream =
    'stream {\n    server {\n        listen 127.0.0.1:{{ .StreamPort }};\n        return "";\n    }\n}\n';
  const pid = /^pid \{\{ \.PID \}\};\n/m;
  const streamBlock = /^stream \{\n[\s\S]*?^\}\n/m;
  if (!pid.test(template) || !streamBlock.test(template)) {
    throw new Error("ingress-nginx's template is not the known one: it has no pid line or no stream block");
  }
  return template.replace(pid, (line) => `${line}\n${loading}\n`).replace(streamBlock, () => stream);
}

/** The files under a folder as entries below `target`, owned by the controller's user. */
function filesUnder(folder: string, target: string): Entry[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
    .filter((path) => !/\/test\/|_test\.lua$|\/OWNERS$|\.md$/.test(path))
    .sort()
    .map((path) => ({
      path: join(target, relative(folder, path)),
      content: readFileSync(path),
      uid: user,
      gid: user,
    }));
}

/** The controller's template and Lua code: a copy out of the Go module cache, so that a warm start needs no Go. */
function moduleSources(): Promise<string> {
  const folder = join(cacheRoot(), 'downloads', `ingress-nginx-${recipes['ingress-nginx'].version}`);
  return cached(folder, async (temporary) => {
    const go = await findGo();
    if (go === undefined) throw new Error("Go is needed for ingress-nginx's image");
    const options = { cwd: moduleFolder('ingress-nginx'), env: { GOWORK: 'off', GOFLAGS: '-mod=mod' } };
    const answer = await run(go, ['mod', 'download', '-json', 'k8s.io/ingress-nginx'], options);
    const { Dir } = JSON.parse(answer) as { Dir?: string };
    if (Dir === undefined) throw new Error('The Go module cache does not have k8s.io/ingress-nginx');
    await run('cp', ['-r', join(Dir, 'rootfs', 'etc', 'nginx'), temporary]);
    // The module cache is read-only, and so would be its copy.
    await run('chmod', ['-R', 'u+w', temporary]);
  });
}

/** The image's recipe. */
export async function ingressNginx(log: Log): Promise<ImageRecipe> {
  const controller = await ensureTool('ingress-nginx', log);
  const sources = await moduleSources();
  const template = adaptTemplate(readFileSync(join(sources, 'template', 'nginx.tmpl'), 'utf8'));
  const owned = { uid: user, gid: user };
  return {
    name: 'ingress-nginx',
    version: recipes['ingress-nginx'].version,
    config: {
      user: `${String(user)}:${String(user)}`,
      entrypoint: ['/nginx-ingress-controller'],
      env: { NGINX_BINARY: '/usr/sbin/nginx' },
      workingDir: '/etc/nginx',
    },
    layers: [await debianLayer('ingress-nginx', packages, log)],
    entries: [
      ...baseEntries([{ name: 'nginx', id: user }]),
      { path: 'nginx-ingress-controller', mode: 0o755, fromFile: controller },
      ...ownFolders(user, ['etc/nginx', 'etc/nginx/template', 'etc/nginx/lua']),
      ...ownFolders(
        user,
        ['ssl', 'auth', 'geoip', 'telemetry'].map((name) => `etc/ingress-controller/${name}`),
      ),
      ...ownFolders(user, ['tmp/nginx', 'var/lib/nginx', 'var/log/nginx', 'run']),
      { path: 'etc/nginx/nginx.conf', content: readFileSync(join(sources, 'nginx.conf')), ...owned },
      { path: 'etc/nginx/template/nginx.tmpl', content: template, ...owned },
      ...filesUnder(join(sources, 'lua'), 'etc/nginx/lua'),
      ...filesUnder(join(import.meta.dirname, 'ingress-nginx', 'lua'), 'etc/nginx/lua'),
      // What nginx logs is the container's output.
      { path: 'var/log/nginx/access.log', linkTo: '/dev/stdout' },
      { path: 'var/log/nginx/error.log', linkTo: '/dev/stderr' },
    ],
    inputs: [fingerprint(controller.split('/').at(-2) ?? '')],
  };
}
