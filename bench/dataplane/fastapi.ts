import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../../hack/lib/ports.ts';
import { startDaemon, type Daemon } from '../../hack/lib/daemon.ts';
import type { Log } from '../../hack/lib/log.ts';
import { installed } from '../migrations/peers/install.ts';
import { anonymousRole, release } from './database.ts';
import { answers } from './ready.ts';

const packages = [
  'fastapi==0.165.0',
  'uvicorn==0.54.0',
  'uvloop==0.23.0',
  'httptools==0.9.0',
  'asyncpg==0.32.0',
];

/** FastAPI, by pip into a virtual environment; gives the path of its Python. */
export async function installFastapi(log: Log): Promise<string> {
  const folder = await installed('fastapi', packages, log, async (home, command) => {
    await command('python3', ['-m', 'venv', home]);
    const python = join(home, 'bin', 'python3');
    await command(python, ['-m', 'pip', 'install', '--disable-pip-version-check', ...packages]);
  });
  return join(folder, 'bin', 'python3');
}

/** How the service talks to the database. */
export interface Manner {
  /**
   * True: what PostgREST does for each request before its statement, a transaction with the role, the claims and the
   * request's own facts. False: one statement for each request, as such a service is written.
   */
  readonly isSame: boolean;
  /** False: as asyncpg's documentation says for PgBouncer in transaction mode, which is what our pods do too. */
  readonly isPrepared: boolean;
}

// As fast as its documentation knows how: answers are made without a model, the connection is not reset after each
// request (behind a transaction pooler that would reset another one), uvloop and httptools.
const application = `import json, os
from contextlib import asynccontextmanager
import asyncpg
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

schema = "${release.schema}"
columns = "id, name, category, price, note"
same = os.environ["BENCH_SAME"] == "true"
cache = dict() if os.environ["BENCH_PREPARED"] == "true" else dict(statement_cache_size=0)


class Connection(asyncpg.Connection):
    def get_reset_query(self):
        return ""


@asynccontextmanager
async def lifespan(app):
    options = dict(min_size=0, max_size=10, connection_class=Connection, **cache)
    async with asyncpg.create_pool(os.environ["BENCH_URL"], **options) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan, openapi_url=None)
settings = """select set_config('search_path', $1, true), set_config('role', $2, true),
  set_config('request.jwt.claims', $3, true), set_config('request.method', $4, true),
  set_config('request.path', $5, true), set_config('request.headers', $6, true),
  set_config('request.cookies', $7, true)"""


async def ask(request, query, *values):
    if not same:
        return await app.state.pool.fetch(query, *values)
    async with app.state.pool.acquire() as connection:
        async with connection.transaction(readonly=request.method == "GET"):
            await connection.fetchrow(
                settings, schema, "${anonymousRole}", '{"role":"${anonymousRole}"}', request.method,
                request.url.path, json.dumps(dict(request.headers)), json.dumps(request.cookies))
            return await connection.fetch(query, *values)


def answer(rows):
    return JSONResponse([dict(row) for row in rows])


@app.get("/items/{id}")
async def one(request: Request, id: int):
    return answer(await ask(request, f"select {columns} from {schema}.items where id = $1", id))


@app.get("/items")
async def some(request: Request, category: int, above: int):
    query = f"select id, name, price from {schema}.items where category = $1 and price > $2 order by id"
    return answer(await ask(request, query, category, above))


@app.get("/page")
async def page(request: Request, after: int, limit: int):
    query = f"select {columns} from {schema}.items where id > $1 order by id limit $2"
    return answer(await ask(request, query, after, limit))


@app.get("/rpc/items_of")
async def items_of(request: Request, category: int):
    return answer(await ask(request, f"select {columns} from {schema}.items_of($1)", category))


class Event(BaseModel):
    item: int
    note: str


@app.post("/events")
async def add(request: Request, event: Event):
    await ask(request, f"insert into {schema}.events (item, note) values ($1, $2)", event.item, event.note)
    return Response(status_code=201)


class Note(BaseModel):
    note: str


@app.patch("/items/{id}")
async def change(request: Request, id: int, body: Note):
    await ask(request, f"update {schema}.items set note = $2 where id = $1", id, body.note)
    return Response(status_code=204)
`;

/** Starts so many processes of the service, each on a port of its own; gives the ports. */
export async function startFastapi(
  options: {
    readonly scratch: string;
    readonly python: string;
    readonly manner: Manner;
    readonly uri: string;
  },
  count: number,
): Promise<readonly number[]> {
  const { scratch, python, manner, uri } = options;
  writeFileSync(join(scratch, 'service.py'), application);
  const ports = await freePorts(count);
  for (const port of ports) {
    const server = [
      '--loop',
      'uvloop',
      '--http',
      'httptools',
      '--no-access-log',
      '--timeout-keep-alive',
      '75',
    ];
    const daemon: Daemon = {
      command: python,
      args: ['-m', 'uvicorn', '--app-dir', scratch, '--port', String(port), ...server, 'service:app'],
      env: {
        BENCH_SAME: String(manner.isSame),
        BENCH_PREPARED: String(manner.isPrepared),
        BENCH_URL: uri.replace(/^postgres:/, 'postgresql:'),
      },
      pidFile: join(scratch, 'run', `fastapi-${String(port)}.pid`),
      logFile: join(scratch, `fastapi-${String(port)}.log`),
    };
    await startDaemon(daemon);
    await answers(daemon, `http://127.0.0.1:${String(port)}/items/1`);
  }
  return ports;
}
