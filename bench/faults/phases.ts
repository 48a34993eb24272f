import { isSettledOn, walkTo, type Case } from './case.ts';

/** A moment of an operation, and how to get there. Revision 1 serves before; all is seen from outside. */
export interface Phase {
  readonly operation: 'rollout' | 'abort' | 'rollback';
  readonly name: string;
  /** For people: when it is. */
  readonly when: string;
  /** The revision that the operation is to end on. */
  readonly target: 1 | 2;
  /** The revision that comes (rollout, rollback) or goes (abort). */
  readonly candidate: 1 | 2;
  /** `spec.rollout.warmFor`, where the operation is about a target without pods. */
  readonly warmFor?: string;
  /** Resolves at that moment. */
  readonly enter: (run: Case) => Promise<void>;
}

const rollout = { operation: 'rollout', target: 2, candidate: 2 } as const;
const abort = { operation: 'abort', target: 1, candidate: 2 } as const;
const rollback = { operation: 'rollback', target: 1, candidate: 1 } as const;

/** The phases of all operations; rollouts go 50 %, a pause without end, 100 %. */
export const phases: readonly Phase[] = [
  {
    ...rollout,
    name: 'starting',
    when: 'the candidate exists, its pods are coming',
    async enter(run) {
      await run.writeSpec(2);
      await run.instance.until('there is a candidate', ({ status }) => status?.candidate?.revision === 2);
    },
  },
  {
    ...rollout,
    name: 'shifting',
    when: '50 % asked for, not yet proved',
    async enter(run) {
      await run.writeSpec(2);
      await run.instance.until('50 % is asked for', ({ status }) => {
        return status?.traffic?.revision === 2 && status.traffic.weight === 50;
      });
    },
  },
  { ...rollout, name: 'paused', when: '50 % proved, waiting for a promotion', enter: pause },
  {
    ...rollout,
    name: 'promoting',
    when: '100 % asked for, the stable Service not yet moved',
    async enter(run) {
      await pause(run);
      await run.action('promote');
      await run.instance.until('100 % is asked for', ({ status }) => status?.traffic?.weight === 100);
    },
  },
  { ...rollout, name: 'settled', when: 'revision 2 is promoted', enter: release },
  {
    ...abort,
    name: 'commanded',
    when: 'abort was asked for at 50 %',
    async enter(run) {
      await pause(run);
      await run.action('abort');
    },
  },
  {
    ...abort,
    name: 'returning',
    when: 'weight 0 asked for, not yet proved',
    async enter(run) {
      await pause(run);
      await run.action('abort');
      await run.instance.until('weight 0 is asked for', ({ status }) => (status?.traffic?.weight ?? 0) === 0);
    },
  },
  {
    ...abort,
    name: 'settled',
    when: 'revision 2 is aborted',
    async enter(run) {
      await pause(run);
      await run.action('abort');
      await run.instance.until('the abort is over', (seen) => isSettledOn(seen, 1));
    },
  },
  {
    ...rollback,
    name: 'commanded',
    when: 'rollback to warm pods was asked for',
    async enter(run) {
      await release(run);
      await run.action('rollback');
    },
  },
  {
    ...rollback,
    name: 'starting',
    when: 'rollback to a revision without pods: they are coming',
    warmFor: '1s',
    async enter(run) {
      await release(run);
      await noPods(run, 1);
      await run.action('rollback');
      await run.instance.until(
        'the old revision is the candidate',
        ({ status }) => status?.candidate?.revision === 1,
      );
    },
  },
  {
    ...rollback,
    name: 'shifting',
    when: 'traffic asked back to warm pods, not yet proved',
    async enter(run) {
      await release(run);
      await run.action('rollback');
      await run.instance.until('the old revision is asked for', ({ status }) => {
        return (
          status?.stable?.revision === 1 || (status?.traffic?.revision === 1 && status.traffic.weight > 0)
        );
      });
    },
  },
  {
    ...rollback,
    name: 'settled',
    when: 'revision 2 is rolled back',
    async enter(run) {
      await release(run);
      await run.action('rollback');
      await run.instance.until('the rollback is over', (seen) => isSettledOn(seen, 1));
    },
  },
];

async function pause(run: Case): Promise<void> {
  await run.writeSpec(2);
  await run.instance.until('revision 2 waits at 50 %', ({ status }) => status?.pausedSince !== undefined);
}

async function release(run: Case): Promise<void> {
  await run.writeSpec(2);
  await walkTo(run, 2);
}

/** Waits until the pods of a revision have been given up. */
async function noPods({ kubectl, namespace, name }: Case, revision: number): Promise<void> {
  const selector = `pgrst.dev/instance=${name},pgrst.dev/revision=${revision}`;
  const jsonpath = '{.spec.replicas}=0';
  await kubectl([
    ...['wait', '-n', namespace, 'deployment', '-l', selector],
    ...[`--for=jsonpath=${jsonpath}`, '--timeout=60s'],
  ]);
}
