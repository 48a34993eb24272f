import { setTimeout as delay } from 'node:timers/promises';
import { judgeFailures } from '../../hack/load/excuse.ts';
import { failed, type Sample } from '../../hack/load/sample.ts';
import { isSettledOn, walkTo, type Case } from './case.ts';
import type { Cell } from './matrix.ts';

/** What came of one cell. */
export interface CellResult {
  readonly cell: Cell;
  /** What the fault hit. */
  readonly hit: string;
  readonly requests: number;
  /** Failed requests that the fault does not explain; none is right. */
  readonly failed: number;
  /** Failed requests that it does explain. */
  readonly excused: number;
  /** Seconds from the end of the fault until the right revision had everything: by status and by the clients. */
  readonly seconds: number | undefined;
  /** Why it is not as it should be, for people; empty when it is. */
  readonly problems: readonly string[];
}

/** Whether the right revision serves in the end, and only excused requests failed. */
export function isRight({ problems }: CellResult): boolean {
  return problems.length === 0;
}

/** After the end of a fault the operator may need a moment to notice that something was changed. */
const noticeMs = 2000;
/** So many answers of the right revision in a row, and the clients are believed. */
const enough = 60;
/** After an API server was away the Lease has to run out, and its own controllers wait up to a minute to look again. */
const convergeMs = 150_000;
/** An answer may have been under way while the status was written. */
const watchLagMs = 100;

/** Plays one cell on a fresh instance under traffic; ends the traffic. */
export async function runCell(run: Case, cell: Cell): Promise<CellResult> {
  const { phase, fault } = cell;
  const problems: string[] = [];
  const note = (what: string, error: unknown): void => {
    problems.push(`${what}: ${error instanceof Error ? error.message.slice(0, 1500) : String(error)}`);
  };
  let seconds: number | undefined;
  let began = 0;
  let over = 0;
  let injection: Awaited<ReturnType<typeof fault.inject>> = { excuses: [], hit: '' };
  try {
    await phase.enter(run);
    began = Date.now();
    injection = await fault.inject(run, phase);
    over = Date.now();
    const target = injection.target ?? phase.target;
    await delay(noticeMs);
    await walkTo(run, target, convergeMs);
    const others = await answersOfOthers(run, target, over);
    const word = settledAt(run, target);
    seconds = Math.max(0, word - over, ...others.map(({ endedAt }) => endedAt - over)) / 1000;
    // Where all was at rest before, a hand edit moves traffic until the operator has taken it back: that is no early word.
    // A request that was sent before may have been held by the gate for a while.
    const early = Math.max(0, ...others.map(({ dueAt }) => dueAt - word));
    if (phase.name !== 'settled' && early > watchLagMs)
      problems.push(
        `${Math.round(early)} ms after the status said so a request was sent to another revision`,
      );
  } catch (error) {
    note('did not converge', error);
  }
  const samples = await run.load.stop().catch((error: unknown) => {
    note('load', error);
    return run.load.samples;
  });
  const { excused, unexcused } = judgeFailures(samples, injection.excuses);
  if (unexcused.length > 0) problems.push(`failed: ${unexcused.slice(0, 8).map(describe).join('; ')}`);
  const losses = run.guard.losses.filter(
    (at) => !injection.excuses.some(({ from, to }) => at >= from && at <= to + unreadyMs),
  );
  if (losses.length > 0)
    problems.push(`the stable Service had no ready endpoint at ${losses.map(timeOf).join(', ')}`);
  const result = {
    cell,
    hit: injection.hit,
    requests: samples.length,
    failed: unexcused.length,
    excused: excused.length,
    seconds,
    problems,
  };
  if (problems.length > 0)
    problems.push(`the fault: ${timeOf(began)} to ${timeOf(over)}; the status:`, ...timeline(run));
  return result;
}

/** Since when the status has said that it is at rest on a revision, in epoch milliseconds. */
function settledAt({ instance: { history } }: Case, revision: number): number {
  const last = history.findLastIndex(({ object }) => !isSettledOn(object, revision));
  return history[last + 1]?.at ?? Date.now();
}

/** A pod whose processes were killed is unready until they run again. */
const unreadyMs = 10_000;

/** Waits until clients get the revision alone; gives the answers of other ones to requests that were due after `from`. */
async function answersOfOthers(run: Case, revision: number, from: number): Promise<readonly Sample[]> {
  const deadline = Date.now() + 30_000;
  const isOther = (sample: Sample): boolean => sample.revision !== String(revision);
  for (;;) {
    const answers = run.load.samples.filter((sample) => sample.dueAt >= from && !failed(sample));
    if (answers.length >= enough && !answers.slice(-enough).some(isOther)) return answers.filter(isOther);
    if (Date.now() > deadline) throw new Error(`clients still get other revisions than ${revision}`);
    await delay(100);
  }
}

function describe(sample: Sample): string {
  const { request, status, error, keepAlive, ingress, upstream } = sample;
  const took = `${timeOf(sample.dueAt)}+${sample.endedAt - Math.round(sample.dueAt)}ms`;
  return `${took} ${request} ${error ?? String(status)} ${keepAlive ? 'kept' : 'own'} connection, ${ingress ?? 'no ingress'} -> ${upstream ?? '?'}`;
}

/** What the status said, change by change: enough to find a cause without running it again. */
function timeline(run: Case): string[] {
  let previous = '';
  return run.instance.history.flatMap(({ at, object: { status, metadata } }) => {
    const ready = status?.conditions?.find(({ type }) => type === 'Ready');
    const line = [
      `generation ${metadata.generation ?? 0}/${status?.observedGeneration ?? 0}`,
      `stable ${status?.stable?.revision ?? '-'} candidate ${status?.candidate?.revision ?? '-'}`,
      `traffic ${status?.traffic?.revision ?? '-'}:${status?.traffic?.weight ?? '-'} proved ${status?.traffic?.provedWeight ?? '-'}`,
      `${ready?.status ?? '-'} ${ready?.reason ?? ''} ${status?.pausedSince === undefined ? '' : 'paused'}`,
    ].join(', ');
    if (line === previous) return [];
    previous = line;
    return [`  ${timeOf(at)} ${line}`];
  });
}

function timeOf(at: number): string {
  return new Date(at).toISOString().slice(11, 23);
}
