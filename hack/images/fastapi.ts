import type { Log } from '../lib/log.ts';
import { baseEntries } from './common.ts';
import { debianLayer } from './debian.ts';
import type { ImageRecipe } from './image.ts';

/** What examples/from-fastapi moves away from: FastAPI in uvicorn. The application is mounted. */
export async function fastapi(log: Log): Promise<ImageRecipe> {
  const packages = ['python3-fastapi', 'python3-uvicorn', 'python3-asyncpg'];
  return {
    name: 'fastapi',
    version: 'trixie',
    // The example's manifest names it so.
    tag: 'trixie',
    config: {
      user: '1000:1000',
      entrypoint: ['/usr/bin/python3', '-m', 'uvicorn', '--no-access-log'],
      env: { PYTHONDONTWRITEBYTECODE: '1', LANG: 'C.UTF-8' },
    },
    layers: [await debianLayer('fastapi', packages, log)],
    entries: baseEntries([{ name: 'app', id: 1000 }]),
  };
}
