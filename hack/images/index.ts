import type { Log } from '../lib/log.ts';
import { fastapi } from './fastapi.ts';
import { buildImage } from './image.ts';
import type { Image, ImageRecipe } from './image.ts';
import { ingressNginx } from './ingressNginx.ts';
import {
  argoRollouts,
  coredns,
  gate,
  pause,
  pgbouncer,
  pgbouncerExporter,
  postgres,
  postgrest,
  traefik,
} from './parts.ts';

const recipes = {
  pause,
  coredns,
  'ingress-nginx': ingressNginx,
  postgrest,
  gate,
  pgbouncer,
  'pgbouncer-exporter': pgbouncerExporter,
  postgres,
  traefik,
  fastapi,
  'argo-rollouts': argoRollouts,
} satisfies Record<string, (log: Log) => Promise<ImageRecipe>>;

export type PartName = keyof typeof recipes;

/** Builds, where they are not there yet, the images of these parts; in the order given. */
export async function buildParts(names: readonly PartName[], log: Log): Promise<Map<PartName, Image>> {
  const images = new Map<PartName, Image>();
  for (const name of names) images.set(name, await buildImage(await recipes[name](log), log));
  return images;
}
