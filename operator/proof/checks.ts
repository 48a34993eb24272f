import type { AnalysisSpec } from '../api/v1alpha1/apiInstanceRollout.ts';
import { durationMs } from '../api/v1alpha1/shared.ts';
import { quantile, type GateCounters } from './gateMetrics.ts';

/** How one query of a Prometheus stands. */
export interface QueryState {
  /** The last number that it gave. */
  readonly value: number | undefined;
  /** Numbers in a row that were out of bounds. */
  readonly outside: number;
  /** Why it says nothing at the moment; undefined: it does. */
  readonly problem: string | undefined;
}

/** All that is known of a candidate at one moment. */
export interface Observations {
  /** What its gates have counted in the window; undefined until every one of them was read. */
  readonly gates: GateCounters | undefined;
  /** By the query's name; queries that were not answered yet are left out. */
  readonly queries: ReadonlyMap<string, QueryState>;
  /** What cannot be read, a sentence each. */
  readonly unreadable: readonly string[];
}

/** What an analysis tells while it runs; told again only when one of the two has changed. */
export interface AnalysisProgress {
  readonly verdict: 'Running' | 'Passed' | 'TooFewRequests' | 'Inconclusive';
  /** Each check with its value, its threshold and its samples; rounded, so that it stands still while little changes. */
  readonly message: string;
}

/** Why the candidate has to go: the check, its value, its threshold and its samples, in one sentence. */
export interface AnalysisFailure {
  readonly failure: string;
}

/** Below so many errors a candidate is not given up before it had `minRequests`. */
const fewErrors = 5;
/** So many numbers in a row must be out of bounds before a query has failed. */
const outsideReadings = 3;
/** As much as status.analysis.message holds. */
const maxLength = 1024;

/**
 * Judges a candidate by what is known of it. A check of the gates' counters fails on at least `minRequests` requests in
 * the window; or on fewer, when so many have failed that whatever comes the rate is missed: a candidate that answers
 * nothing but errors, and therefore gets few requests, must not get away with it.
 */
export function judgeCandidate(
  analysis: AnalysisSpec,
  { gates, queries, unreadable }: Observations,
): AnalysisProgress | AnalysisFailure {
  if (!hasChecks(analysis))
    return { verdict: 'Passed', message: 'nothing is asked of the candidate while it has traffic' };
  const failure = (gates && failureOfGates(analysis, gates)) ?? failureOfQueries(analysis, queries);
  if (failure !== undefined) return { failure };
  const trouble = [
    ...unreadable,
    ...[...queries].flatMap(([name, { problem }]) =>
      problem === undefined ? [] : [`prometheus ${name} ${problem}`],
    ),
  ];
  const numbers = [...(gates ? [describeGates(analysis, gates)] : []), ...describeQueries(analysis, queries)];
  const tell = (verdict: AnalysisProgress['verdict'], parts: readonly string[]): AnalysisProgress => ({
    verdict,
    message: clip(parts.join('; ')),
  });
  if (trouble.length > 0) return tell('Inconclusive', [...trouble, ...numbers]);
  const isWhole = queries.size === (analysis.prometheus?.queries.length ?? 0);
  if (gates === undefined || !isWhole) return tell('Running', ['the first numbers are being read']);
  if (gates.requests < analysis.minRequests) return tell('TooFewRequests', numbers);
  return tell('Passed', numbers);
}

// Probes come before the traffic: who asks for nothing else need not wait for requests.
function hasChecks({ maxErrorRate, maxP95, prometheus }: AnalysisSpec): boolean {
  return maxErrorRate !== undefined || maxP95 !== undefined || prometheus !== undefined;
}

function failureOfGates(analysis: AnalysisSpec, gates: GateCounters): string | undefined {
  const { maxErrorRate, maxP95, minRequests, window } = analysis;
  const { requests, errors } = gates;
  const isEnough = requests >= minRequests;
  if (maxErrorRate !== undefined) {
    // With fewer requests than it takes, all that are still missing are taken for good ones.
    const isOver = exceeds(errors, Math.max(requests, minRequests), maxErrorRate);
    if (isOver && (isEnough || errors >= fewErrors)) {
      const samples = `${grouped(errors)} of ${grouped(requests)} requests in ${window}`;
      return `error rate ${percent(errors / requests, 3)} is over ${threshold(maxErrorRate)} (${samples})`;
    }
  }
  const p95 = quantile(0.95, gates);
  if (maxP95 !== undefined && p95 !== undefined && isEnough && p95 * 1000 > durationMs(maxP95))
    return `p95 ${latency(p95, gates, 3)} is over ${time(durationMs(maxP95) / 1000)} (${grouped(requests)} requests in ${window})`;
  return undefined;
}

// In hundredths of a percent, which are whole numbers: 5 % of 20 has to be 1 and not a little more.
function exceeds(errors: number, requests: number, rate: string): boolean {
  return errors * 10_000 > Math.round(percentOf(rate) * 100) * requests;
}

function failureOfQueries(analysis: AnalysisSpec, queries: Observations['queries']): string | undefined {
  for (const { name, min, max } of analysis.prometheus?.queries ?? []) {
    const { value, outside = 0 } = queries.get(name) ?? {};
    if (value === undefined || outside < outsideReadings) continue;
    const bound = max !== undefined && value > max ? `over ${max}` : `under ${min ?? ''}`;
    return `prometheus ${name} ${digits(value, 4)} is ${bound} (${outside} readings in a row)`;
  }
  return undefined;
}

function describeGates(analysis: AnalysisSpec, gates: GateCounters): string {
  const { maxErrorRate, maxP95, minRequests, window } = analysis;
  const { requests, errors } = gates;
  const p95 = quantile(0.95, gates);
  const enough = requests < minRequests ? ` of at least ${grouped(minRequests)}` : '';
  return [
    ...(maxErrorRate !== undefined && requests > 0
      ? [`error rate ${percent(errors / requests, 2)} (at most ${threshold(maxErrorRate)})`]
      : []),
    ...(maxP95 !== undefined && p95 !== undefined
      ? [`p95 ${latency(p95, gates, 2)} (at most ${time(durationMs(maxP95) / 1000)})`]
      : []),
    `${grouped(roundedDown(requests))}${enough} requests in ${window}`,
  ].join(', ');
}

function describeQueries(analysis: AnalysisSpec, queries: Observations['queries']): readonly string[] {
  return (analysis.prometheus?.queries ?? []).flatMap(({ name, min, max }) => {
    const state = queries.get(name);
    if (state?.value === undefined || state.problem !== undefined) return [];
    const bounds = [
      ...(min === undefined ? [] : [`min ${min}`]),
      ...(max === undefined ? [] : [`max ${max}`]),
    ];
    return [`prometheus ${name} ${digits(state.value, 2)} (${bounds.join(', ')})`];
  });
}

function percentOf(rate: string): number {
  return Number(rate.slice(0, -1));
}

function threshold(rate: string): string {
  return `${percentOf(rate)} %`;
}

function percent(share: number, significant: number): string {
  return `${digits(share * 100, significant)} %`;
}

/** Seconds as people read them; beyond the gate's last bound all that can be said is that it took longer. */
function latency(seconds: number, { within }: GateCounters, significant: number): string {
  if (Number.isFinite(seconds)) return time(seconds, significant);
  return `more than ${time(Math.max(...[...within.keys()].filter(Number.isFinite)))}`;
}

function time(seconds: number, significant = 6): string {
  return seconds < 1 ? `${digits(seconds * 1000, significant)} ms` : `${digits(seconds, significant)} s`;
}

function digits(value: number, significant: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(significant))) : `${value}`;
}

// Down, so that 995 requests never look like the 1,000 that it takes.
function roundedDown(count: number): number {
  const unit = 10 ** Math.max(0, String(count).length - 2);
  return Math.floor(count / unit) * unit;
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

function clip(message: string): string {
  return message.length <= maxLength ? message : `${message.slice(0, maxLength - 1)}…`;
}
