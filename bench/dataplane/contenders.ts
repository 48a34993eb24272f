import { startFastapi, type Manner } from './fastapi.ts';
import { benchSpec, startGates, startPooler, startPostgrest } from './pods.ts';
import type { Database } from './database.ts';
import type { Programs } from './programs.ts';

/** Who is measured, in the order of the table. */
export const names = [
  'PostgREST',
  'gate',
  'PgBouncer, prepared',
  'PgBouncer',
  'default pod, prepared',
  'default pod',
  'FastAPI, same, prepared',
  'FastAPI, same',
  'FastAPI, plain',
  'pgbench',
] as const;
/** One of them. */
export type Name = (typeof names)[number];

/** A service that is asked by HTTP. */
export interface Contender {
  readonly name: Exclude<Name, 'pgbench'>;
  /** Whose way of asking it understands. */
  readonly speaks: 'postgrest' | 'fastapi';
  /** Ports on the loopback address, one for each process or pod. */
  readonly ports: readonly number[];
}

/** Of each service: as many as two cores can use. */
const processes = 2;

/** Starts all of them, each with a PgBouncer of its own where it has one: none finds what another one has left. */
export async function startContenders(
  scratch: string,
  programs: Programs,
  database: Database,
): Promise<readonly Contender[]> {
  const direct = benchSpec({});
  const pooled = benchSpec({ pooler: {} });
  const prepared = benchSpec({ pooler: {}, config: { 'db-prepared-statements': 'true' } });
  const pooler = () => startPooler(scratch, programs, pooled, database.authenticator);
  const postgrest = async (spec: typeof direct, to: Parameters<typeof startPostgrest>[3]) => {
    const pods = await startPostgrest(scratch, programs, spec, to, processes);
    return { ports: pods.map(({ port }) => port), gates: await startGates(scratch, programs, spec, pods) };
  };
  const fastapi = async (manner: Manner, user: string) => {
    const { port, userinfo } = await startPooler(scratch, programs, pooled, user);
    const uri = new URL(user);
    const through = `postgres://${userinfo}@127.0.0.1:${String(port)}${uri.pathname}?sslmode=disable`;
    return await startFastapi({ scratch, python: programs.python, manner, uri: through }, processes);
  };

  const bare = await postgrest(direct, { uri: database.authenticator });
  const behindPrepared = await postgrest(prepared, await pooler());
  const behind = await postgrest(pooled, await pooler());
  const rest = (name: Contender['name'], ports: readonly number[]): Contender => ({
    name,
    speaks: 'postgrest',
    ports,
  });
  const service = (name: Contender['name'], ports: readonly number[]): Contender => ({
    name,
    speaks: 'fastapi',
    ports,
  });
  return [
    rest('PostgREST', bare.ports),
    rest('gate', bare.gates),
    rest('PgBouncer, prepared', behindPrepared.ports),
    rest('PgBouncer', behind.ports),
    rest('default pod, prepared', behindPrepared.gates),
    rest('default pod', behind.gates),
    service(
      'FastAPI, same, prepared',
      await fastapi({ isSame: true, isPrepared: true }, database.authenticator),
    ),
    service('FastAPI, same', await fastapi({ isSame: true, isPrepared: false }, database.authenticator)),
    service('FastAPI, plain', await fastapi({ isSame: false, isPrepared: true }, database.service)),
  ];
}
