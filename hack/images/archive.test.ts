import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sha256OfFile } from '../lib/cache.ts';
import { imageDocument, writeImageArchive, writeLayer } from './archive.ts';
import { imageKey, imageReference } from './image.ts';
import type { ImageRecipe } from './image.ts';

const config = { user: '70:70', entrypoint: ['/run'], stopSignal: 'SIGQUIT' };

it('names each layer by its digest, in order, and the configuration by its own', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pgrst-image-'));
  try {
    const layers = ['one', 'two'].map((name) => join(folder, `${name}.layer`));
    for (const layer of layers) await writeLayer(layer, [{ path: layer.slice(1, 40), content: layer }]);
    await writeImageArchive(join(folder, 'image.tar'), 'localhost/x:1', config, layers);
    execFileSync('tar', ['-xf', join(folder, 'image.tar'), '-C', folder]);
    const [manifest] = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as [
      { Config: string; RepoTags: string[]; Layers: string[] },
    ];
    const document = JSON.parse(readFileSync(join(folder, manifest.Config), 'utf8')) as {
      rootfs: { diff_ids: string[] };
    };
    const digests = await Promise.all(layers.map(sha256OfFile));
    expect(manifest.RepoTags).toEqual(['localhost/x:1']);
    expect(manifest.Layers).toEqual(digests.map((digest) => `${digest}/layer.tar`));
    expect(document.rootfs.diff_ids).toEqual(digests.map((digest) => `sha256:${digest}`));
    expect(manifest.Config).toBe(`${await sha256OfFile(join(folder, manifest.Config))}.json`);
    for (const [index, layer] of manifest.Layers.entries()) {
      expect(await sha256OfFile(join(folder, layer))).toBe(digests[index]);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('carries user, entry point and stop signal', () => {
  expect(JSON.parse(imageDocument(config, []))).toMatchObject({
    config: { User: '70:70', Entrypoint: ['/run'], StopSignal: 'SIGQUIT' },
  });
});

it('gives another content another tag, unless the tag is fixed', () => {
  const recipe = (content: string, more: Partial<ImageRecipe> = {}): ImageRecipe => ({
    name: 'gate',
    version: '1',
    config,
    layers: ['/cache/gate-abc.tar'],
    entries: [{ path: 'etc/passwd', content }],
    ...more,
  });
  expect(imageReference(recipe('a'))).toBe(imageReference(recipe('a')));
  expect(imageReference(recipe('a'))).not.toBe(imageReference(recipe('b')));
  expect(imageKey(recipe('a'))).not.toBe(imageKey(recipe('a', { layers: ['/cache/gate-def.tar'] })));
  expect(imageKey(recipe('a'))).toBe(imageKey(recipe('a', { layers: ['/elsewhere/gate-abc.tar'] })));
  expect(imageReference(recipe('a', { tag: '12.0.2' }))).toBe('localhost/postgrest-operator/gate:12.0.2');
});
