import { median, rounded } from '../statistics.ts';
import { names, type Name } from './contenders.ts';
import type { CappedResult } from './capped.ts';
import type { Endpoint } from './endpoints.ts';
import type { Figures } from './wrk.ts';

/** One measurement. */
export interface Sample {
  readonly round: number;
  readonly endpoint: Endpoint;
  readonly name: Name;
  readonly figures: Figures;
}

const ours: Name = 'default pod';

/** Everything that was measured. */
export interface Results {
  readonly samples: readonly Sample[];
  /** How many answers had which status when something was asked for that is not there (`askForWhatIsNotThere`). */
  readonly refused: Readonly<Partial<Record<Name, Readonly<Record<string, number>>>>>;
  readonly capped: readonly CappedResult[];
}

/** The tables, and the JSON as the last line. */
export function report({ samples, refused, capped }: Results): string[] {
  const all = [...new Set(samples.map(({ endpoint }) => endpoint))];
  const lines: string[] = [];
  const json = [];
  for (const endpoint of all) {
    lines.push('', heading(endpoint.name));
    const rows = names.map((name) => {
      const own = samples.filter((sample) => sample.endpoint === endpoint && sample.name === name);
      const ratio = ratioTo(samples, endpoint, name, 'PostgREST', speed);
      return { name, ratioToDirect: ratio, ...middle(own.map(({ figures }) => figures)) };
    });
    lines.push(...rows.map(({ name, ratioToDirect, ...figures }) => line(name, figures, ratioToDirect)));
    json.push({
      name: endpoint.name,
      ratioToDirect: rounded(ratioTo(samples, endpoint, ours, 'PostgREST', speed), 3),
      ratioToFastapi: rounded(ratioTo(samples, endpoint, ours, 'FastAPI, same', speed), 3),
      ratioToPreparedFastapi: rounded(ratioTo(samples, endpoint, ours, 'FastAPI, same, prepared', speed), 3),
      ratioToPlainFastapi: rounded(ratioTo(samples, endpoint, ours, 'FastAPI, plain', speed), 3),
      contenders: Object.fromEntries(rows.map(({ name, ...row }) => [name, inJson(row)])),
    });
  }
  const over = (to: Name, of: readonly Endpoint[], value = speed) =>
    rounded(geometricMean(of.map((endpoint) => ratioTo(samples, endpoint, ours, to, value))), 3);
  const reads = all.filter(({ isRead }) => isRead);
  const summary = {
    ours: {
      ratioToDirect: over('PostgREST', all),
      ratioToFastapi: over('FastAPI, same', reads),
      ratioToPreparedFastapi: over('FastAPI, same, prepared', reads),
      ratioToPlainFastapi: over('FastAPI, plain', reads),
      /** How much CPU time PostgREST alone takes of ours. */
      cpuRatioToDirect: over('PostgREST', all, thrift),
    },
    errors: [
      ...samples.map(({ figures }) => figures),
      ...capped.flatMap(({ pooled, direct }) => [...pooled, ...direct]),
    ].reduce((sum, { errors }) => sum + errors, 0),
    capped: capped.map(({ workload, pooled, direct }) => ({
      workload,
      ratioToDirect: rounded(middle(pooled).perSecond / middle(direct).perSecond, 3),
      pooled: inJson(middle(pooled)),
      direct: inJson(middle(direct)),
    })),
    refused,
    endpoints: json,
  };
  for (const { workload, pooled, direct } of capped) {
    const [own, other] = [middle(pooled), middle(direct)];
    lines.push('', heading(`20 pods: ${workload}`));
    lines.push(line('one connection each', other, 1));
    lines.push(line('10 each, cap of 20', own, own.perSecond / other.perSecond));
  }
  lines.push('', 'Answers to requests for what is not there:');
  for (const [name, counts] of Object.entries(refused))
    lines.push(`  ${name.padEnd(32)} ${JSON.stringify(counts)}`);
  const { ratioToDirect, ratioToFastapi, ratioToPreparedFastapi, cpuRatioToDirect } = summary.ours;
  lines.push(
    '',
    `The default pod: ${String(ratioToDirect)} of PostgREST alone (${String(cpuRatioToDirect)} by CPU time); reads: ${String(ratioToFastapi)} of a FastAPI that does the same, ${String(ratioToPreparedFastapi)} of one that prepares its statements. Errors: ${String(summary.errors)}.`,
    JSON.stringify(summary),
  );
  return lines;
}

const speed = ({ perSecond }: Figures): number => perSecond;
const thrift = ({ cpuMs }: Figures): number => 1 / cpuMs;

/** The median of the rounds' ratios of a value. */
function ratioTo(
  samples: readonly Sample[],
  endpoint: Endpoint,
  name: Name,
  to: Name,
  value: (figures: Figures) => number,
): number {
  const of = (round: number, who: Name): number => {
    const found = samples.find(
      (sample) => sample.round === round && sample.endpoint === endpoint && sample.name === who,
    );
    return found === undefined ? NaN : value(found.figures);
  };
  const rounds = [...new Set(samples.map(({ round }) => round))];
  return median(rounds.map((round) => of(round, name) / of(round, to)));
}

type Row = Readonly<Record<'perSecond' | 'p50' | 'p95' | 'p99' | 'cpuMs', number>>;

/** The medians of the rounds. */
function middle(figures: readonly Figures[]): Row {
  const of = (field: keyof Row) => median(figures.map((one) => one[field]));
  return { perSecond: of('perSecond'), p50: of('p50'), p95: of('p95'), p99: of('p99'), cpuMs: of('cpuMs') };
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

function inJson(fields: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, rounded(value, 3)]));
}

function heading(name: string): string {
  return `${name.padEnd(34)}${['requests/s', 'ratio', 'p50 ms', 'p95 ms', 'p99 ms', 'CPU ms'].map((text) => text.padStart(11)).join('')}`;
}

function line(name: string, { perSecond, p50, p95, p99, cpuMs }: Row, ratio: number): string {
  const cells = [
    perSecond.toFixed(0),
    ratio.toFixed(2),
    ...[p50, p95, p99].map((ms) => ms.toFixed(1)),
    cpuMs.toFixed(2),
  ];
  return `  ${name.padEnd(32)}${cells.map((text) => text.padStart(11)).join('')}`;
}
