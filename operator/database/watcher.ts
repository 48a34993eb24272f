import type { Asking } from './pooler.ts';

/** A session that holds a lock which another one waits for. */
export interface Blocker {
  /** Its backend; 0 for a prepared transaction. */
  readonly pid: number;
  readonly applicationName: string;
}

/** What a statement that takes long is about. Never holds the text of a query. */
export type Observation =
  | { readonly phase: 'blocked'; readonly by: readonly Blocker[] }
  /** `step` is PostgreSQL's name of the phase; `done` and `total` count blocks, 0 where the phase has none. */
  | { readonly phase: 'indexing'; readonly step: string; readonly done: number; readonly total: number };

/** Looks at one backend from a session of its own. */
export interface Watcher {
  /** Runs the body, and tells what is observed while it takes longer than `everyMs`. One body at a time. */
  during<T>(tell: (seen: Observation) => void, body: () => Promise<T>): Promise<T>;
  /** Who blocked the last body when it was last looked at. */
  blockers(): readonly Blocker[];
  /** Ends its session; never throws. */
  close(): Promise<void>;
}

/** What `createWatcher` takes. */
export interface WatcherOptions {
  /** The backend to look at. */
  readonly pid: number;
  readonly everyMs: number;
  /** Opens the watcher's session; called when it is first needed, and again after a failure. */
  readonly open: () => Promise<Asking>;
}

/**
 * Creates a watcher; it connects when a body first takes long. That it cannot, or loses its connection, fails nothing:
 * then nothing is observed.
 */
export function createWatcher({ pid, everyMs, open }: WatcherOptions): Watcher {
  let session: Promise<Asking> | undefined;
  let blockers: readonly Blocker[] = [];

  const look = async (tell: (seen: Observation) => void, isOver: () => boolean): Promise<void> => {
    session ??= open();
    const seen = await observe(await session, pid);
    if (isOver()) return;
    blockers = seen?.phase === 'blocked' ? seen.by : [];
    if (seen !== undefined) tell(seen);
  };

  const drop = async (): Promise<void> => {
    const left = session;
    session = undefined;
    await left?.then(
      (opened) => opened.close(),
      () => undefined,
    );
  };

  return {
    during: async (tell, body) => {
      blockers = [];
      let timer: NodeJS.Timeout | undefined;
      let isOver = false;
      const lookLater = (): void => {
        timer = setTimeout(() => {
          look(tell, () => isOver)
            .catch(drop)
            .finally(() => {
              if (!isOver) lookLater();
            });
        }, everyMs);
      };
      lookLater();
      try {
        return await body();
      } finally {
        isOver = true;
        clearTimeout(timer);
      }
    },
    blockers: () => blockers,
    close: drop,
  };
}

async function observe(session: Pick<Asking, 'query'>, pid: number): Promise<Observation | undefined> {
  const by = await session.query<{ pid: number; application_name: string | null }>(
    `select b.pid, a.application_name
       from pg_catalog.unnest(pg_catalog.pg_blocking_pids($1)) as b (pid)
       left join pg_catalog.pg_stat_activity a on a.pid = b.pid
      group by b.pid, a.application_name order by b.pid limit 10`,
    [pid],
  );
  if (by.length > 0)
    return {
      phase: 'blocked',
      by: by.map((row) => ({ pid: row.pid, applicationName: row.application_name ?? '' })),
    };
  const [build] = await session.query<{ step: string; done: string; total: string }>(
    `select phase as step, blocks_done as done, blocks_total as total
       from pg_catalog.pg_stat_progress_create_index where pid = $1 and phase is not null`,
    [pid],
  );
  return build === undefined
    ? undefined
    : { phase: 'indexing', step: build.step, done: Number(build.done), total: Number(build.total) };
}
