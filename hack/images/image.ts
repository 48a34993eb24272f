import { mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { cached, cacheRoot, fingerprint } from '../lib/cache.ts';
import { withLock } from '../lib/lock.ts';
import type { Log } from '../lib/log.ts';
import { architecture, writeImageArchive, writeLayer } from './archive.ts';
import type { ImageConfig } from './archive.ts';
import type { Entry } from './tar.ts';

/** What an image is made of, before any of it is built. */
export interface ImageRecipe {
  name: string;
  /** The tag; `undefined` makes it `<version>-<fingerprint>`, so that another content is another image. */
  tag?: string;
  version: string;
  config: ImageConfig;
  /** What decides the content beside the entries: names of files that are themselves named by content. */
  layers: readonly string[];
  /** The topmost layer, written for this image alone. */
  entries: readonly Entry[];
  /** Fingerprints of the files that `entries` takes from the disk. */
  inputs?: readonly string[];
}

/** An image archive on this machine. */
export interface Image {
  reference: string;
  archive: string;
  /** Changes with the content. */
  key: string;
}

const repository = 'localhost/postgrest-operator';

/** The identity of what a recipe yields. */
export function imageKey(recipe: ImageRecipe): string {
  const inline = recipe.entries.map((entry) =>
    'fromFile' in entry
      ? { ...entry, fromFile: '' }
      : 'content' in entry
        ? { ...entry, content: fingerprint(entry.content) }
        : entry,
  );
  // Layers come from the cache under names that carry their fingerprints.
  const layers = recipe.layers.map((layer) => layer.split('/').at(-1) ?? '');
  // The archive names its tag inside, so another tag is another archive.
  const tag = recipe.tag === undefined ? [] : [recipe.tag];
  return fingerprint(
    JSON.stringify([recipe.config, inline, layers, recipe.inputs ?? [], architecture(), ...tag]),
  );
}

/** The reference under which manifests name an image. */
export function imageReference(recipe: ImageRecipe): string {
  return `${repository}/${recipe.name}:${recipe.tag ?? `${recipe.version}-${imageKey(recipe)}`}`;
}

/** Each edit of the operator makes an archive: the two newest are kept. */
function prune(folder: string, prefix: string): void {
  const archives = readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && name.endsWith('.tar'))
    .map((name) => ({ path: join(folder, name), time: statSync(join(folder, name)).mtimeMs }))
    .sort((a, b) => b.time - a.time);
  for (const { path } of archives.slice(2)) rmSync(path, { force: true });
}

/** Builds an image archive unless it is there already. */
export async function buildImage(recipe: ImageRecipe, log: Log): Promise<Image> {
  const key = imageKey(recipe);
  const reference = imageReference(recipe);
  const folder = join(cacheRoot(), 'images');
  mkdirSync(folder, { recursive: true });
  const archive = await withLock(join(cacheRoot(), 'locks', `image-${recipe.name}`), log, () =>
    cached(join(folder, `${recipe.name}-${recipe.version}-${key}.tar`), async (temporary) => {
      await log.step(`writing the image ${recipe.name}`, async () => {
        const top = `${temporary}.layer`;
        await writeLayer(top, recipe.entries);
        try {
          await writeImageArchive(temporary, reference, recipe.config, [...recipe.layers, top]);
        } finally {
          rmSync(top, { force: true });
        }
      });
    }),
  );
  // It was asked for now: that makes it one of the newest.
  utimesSync(archive, new Date(), new Date());
  prune(folder, `${recipe.name}-${recipe.version}-`);
  return { reference, archive, key };
}
