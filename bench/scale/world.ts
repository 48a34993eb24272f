import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { Log } from '../../hack/lib/log.ts';
import { freePorts } from '../../hack/lib/ports.ts';
import { Refused } from '../../hack/lib/refused.ts';
import { removeScratch, scratchFolder } from '../../hack/lib/scratch.ts';
import { bundle } from '../../hack/build.ts';
import type { KubeObject } from '../../operator/runtime/object.ts';
import { installCrds } from '../../operator/testing/crds.ts';
import { startServer as startPostgres } from '../migrations/server.ts';
import { startControlPlane, type Server } from './controlPlane.ts';
import type { FakeOptions } from './fake.ts';
import { ingressObjects, instancesPerSchema, schema, teamObjects } from './objects.ts';

/** Everything around the operator: API server, PostgreSQL, and the fakes of nodes and traffic. */
export interface World {
  readonly server: Server;
  /** Folder of the operator's bundle. */
  readonly dist: string;
  /** For files that last as long as this. */
  readonly folder: string;
  /** Creates what is missing to that many instances; a database for each ApiSchema. */
  grow(instances: number, signal: AbortSignal): Promise<void>;
  /** Gives the first so many ApiSchemas a new release. */
  publish(schemas: number, signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/** How many objects are created at a time. */
const parallel = 8;

/** Starts it all, empty. */
export async function startWorld(log: Log): Promise<World> {
  const folder = await scratchFolder('pgrst-scale-');
  const postgres = await startPostgres();
  const stops: (() => unknown)[] = [() => postgres.stop(), () => removeScratch(folder)];
  const stop = async (): Promise<void> => {
    for (const each of stops.reverse()) await each();
  };
  try {
    const dist = join(folder, 'dist');
    await bundle({ operator: join(import.meta.dirname, '..', '..', 'operator', 'main.ts') }, dist);
    const server = await startControlPlane(folder, log);
    stops.push(() => server.client.close());
    await installCrds(server.client);
    const [port = 0] = await freePorts(1);
    const ingress = { ip: ownAddress(), port };
    await createAll(server, ingressObjects(ingress.ip, ingress.port), AbortSignal.timeout(30_000));
    stops.push(await startFake({ kubeconfig: server.kubeconfig, ingress }));
    let size = 0;
    let version = 1;
    return {
      server,
      dist,
      folder,
      async grow(instances, signal) {
        for (; size < instances; size += instancesPerSchema) {
          const count = Math.min(instancesPerSchema, instances - size);
          const uri = await postgres.createDatabase();
          await createAll(server, teamObjects(size / instancesPerSchema, count, uri), signal);
        }
      },
      async publish(schemas, signal) {
        version += 1;
        await Promise.all(
          Array.from({ length: schemas }, (_, team) =>
            server.client.apply(schema(team, version), { fieldManager }, signal),
          ),
        );
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const fieldManager = 'scale';

// By kind: a namespace has to be there before what is in it, and the order within a kind does not matter.
async function createAll(
  { client }: Server,
  objects: readonly KubeObject[],
  signal: AbortSignal,
): Promise<void> {
  for (const kind of new Set(objects.map((object) => object.kind))) {
    const left = objects.filter((object) => object.kind === kind);
    const lane = async (): Promise<void> => {
      for (let object = left.shift(); object !== undefined; object = left.shift())
        await client.apply(object, { fieldManager }, signal);
    };
    await Promise.all(Array.from({ length: parallel }, lane));
  }
}

async function startFake(options: FakeOptions): Promise<() => Promise<void>> {
  const fake = spawn(process.execPath, [join(import.meta.dirname, 'fake.ts'), JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(fake, 'exit');
  await Promise.race([
    once(fake.stdout, 'data'),
    ended.then(() => {
      throw new Error('the fake of nodes and traffic ended before it was ready');
    }),
  ]);
  return async () => {
    fake.stdin.end();
    await ended;
  };
}

/** An address of this machine that an EndpointSlice may have: the API server refuses loopback addresses there. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const found = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
  if (found === undefined)
    throw new Refused(
      'This benchmark needs a network interface with an IPv4 address beside the loopback one',
    );
  return found.address;
}
