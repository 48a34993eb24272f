import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePackages } from '../../hack/lib/apt.ts';
import type { Log } from '../../hack/lib/log.ts';
import { unpackNginx, type Nginx } from '../../hack/images/gateProcess.ts';
import { unpackProgram, type LayerProgram } from '../../hack/images/layerProgram.ts';
import * as images from '../../hack/images/parts.ts';
import { installFastapi } from './fastapi.ts';

/** The programs that take part: ours are those of the images. */
export interface Programs {
  /** Path of PostgREST. */
  readonly postgrest: string;
  readonly nginx: Nginx;
  readonly pgbouncer: LayerProgram;
  /** Python with FastAPI, uvicorn and asyncpg. */
  readonly python: string;
}

/** Fetches what is not in the cache yet, and unpacks it into the scratch folder. */
export async function preparePrograms(scratch: string, log: Log): Promise<Programs> {
  await ensurePackages(['wrk'], log);
  // PgBouncer runs as nobody, whom the folder would not let in.
  chmodSync(scratch, 0o711);
  const image = await images.postgrest(log);
  const postgrest = image.entries.find(({ path }) => path === 'bin/postgrest');
  if (postgrest === undefined || !('fromFile' in postgrest) || typeof postgrest.fromFile !== 'string')
    throw new Error('the image of PostgREST holds no program');
  const [gateLayer = ''] = (await images.gate(log)).layers;
  const [poolerLayer = ''] = (await images.pgbouncer(log)).layers;
  return {
    postgrest: postgrest.fromFile,
    nginx: await unpackNginx(gateLayer, scratch),
    pgbouncer: await unpackProgram(poolerLayer, join(scratch, 'pooler'), 'usr/sbin/pgbouncer'),
    python: await installFastapi(log),
  };
}
