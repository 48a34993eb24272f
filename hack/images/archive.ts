// Writes container images in the format of `docker save`, which containerd, kind and Docker all import.
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sha256OfFile } from '../lib/cache.ts';
import { tar } from './tar.ts';
import type { Entry } from './tar.ts';

/** How containers of an image start. */
export interface ImageConfig {
  /** Numeric `uid:gid`, so that runAsNonRoot can be checked. */
  user: string;
  entrypoint: readonly string[];
  env?: Readonly<Record<string, string>>;
  workingDir?: string;
  stopSignal?: string;
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** This machine's architecture under the name that images use. */
export function architecture(): string {
  const name = architectures[process.arch];
  if (name === undefined) throw new Error(`No images can be built on ${process.arch}`);
  return name;
}

/** The image's configuration document; its digest is the image's identity. */
export function imageDocument(config: ImageConfig, diffIds: readonly string[]): string {
  const { user, entrypoint, env = {}, workingDir, stopSignal } = config;
  return JSON.stringify({
    architecture: architecture(),
    os: 'linux',
    config: {
      User: user,
      Entrypoint: entrypoint,
      Env: Object.entries({
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        ...env,
      }).map(([name, value]) => `${name}=${value}`),
      ...(workingDir === undefined ? {} : { WorkingDir: workingDir }),
      ...(stopSignal === undefined ? {} : { StopSignal: stopSignal }),
    },
    rootfs: { type: 'layers', diff_ids: diffIds.map((id) => `sha256:${id}`) },
  });
}

/** Writes entries as a layer of their own. */
export async function writeLayer(path: string, entries: readonly Entry[]): Promise<void> {
  await pipeline(Readable.from(tar(entries)), createWriteStream(path));
}

/** Writes an image archive out of layer files, the lowest first. */
export async function writeImageArchive(
  path: string,
  reference: string,
  config: ImageConfig,
  layers: readonly string[],
): Promise<void> {
  const diffIds: string[] = [];
  for (const layer of layers) diffIds.push(await sha256OfFile(layer));
  const document = imageDocument(config, diffIds);
  const configName = `${createHash('sha256').update(document).digest('hex')}.json`;
  const manifest = [
    { Config: configName, RepoTags: [reference], Layers: diffIds.map((id) => `${id}/layer.tar`) },
  ];
  await writeLayer(path, [
    { path: configName, content: document },
    ...layers.map((fromFile, index) => ({ path: `${String(diffIds[index])}/layer.tar`, fromFile })),
    { path: 'manifest.json', content: JSON.stringify(manifest) },
  ]);
}
