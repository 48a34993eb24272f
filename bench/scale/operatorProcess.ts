import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePorts } from '../../hack/lib/ports.ts';
import { parseMetrics, type Scrape } from './prometheus.ts';

/** What is known of one object from the operator's log. */
export interface Told {
  /** Milliseconds since the epoch: when it was looked at first. */
  readonly firstAt: number;
  /** The same, of the last line about it. */
  readonly lastAt: number;
  /** Which of the outcomes the last reconcile came to; absent after one that failed. */
  readonly outcome: string | undefined;
}

/** The operator as its image runs it, a process of its own. */
export interface OperatorProcess {
  /** Milliseconds since the epoch: just before the start. */
  readonly startedAt: number;
  /** What it has told of each object, by `controller namespace/name`. */
  readonly told: ReadonlyMap<string, Told>;
  /** What it has warned of, by message: how often. */
  readonly warnings: ReadonlyMap<string, number>;
  metrics(): Promise<Scrape>;
  /** CPU time of all its threads so far, in seconds. */
  cpuSeconds(): number;
  /** Resident memory in MiB: now, and the most so far. */
  rssMb(): { readonly now: number; readonly peak: number };
  /** SIGTERM, and waits for its end. */
  stop(): Promise<void>;
}

/** Of /proc/PID/stat, on every Linux that Node runs on (getconf CLK_TCK). */
const ticksPerSecond = 100;

/**
 * --liftoff-only is how the operator's image starts it (hack/images/operator.ts). The heap is what Node 24 makes of the
 * chart's memory limit of 512Mi, by itself: v8.getHeapStatistics().heap_size_limit is 259 MB there.
 */
const asInItsPod = ['--liftoff-only', '--max-old-space-size=256', '--max-semi-space-size=1'];

/** What `startOperator` takes. */
export interface OperatorOptions {
  /** Folder of its bundle. */
  readonly dist: string;
  readonly kubeconfig: string;
  readonly logFile: string;
  /** Of Node itself, such as --cpu-prof. */
  readonly nodeOptions: readonly string[];
}

/** Starts it. Whoever starts one stops it. */
export async function startOperator(options: OperatorOptions): Promise<OperatorProcess> {
  const [metricsPort = 0, probePort = 0] = await freePorts(2);
  const startedAt = Date.now();
  const child = spawn(
    process.execPath,
    [...asInItsPod, ...options.nodeOptions, join(options.dist, 'operator.mjs')],
    {
      cwd: options.dist,
      env: {
        ...process.env,
        NODE_ENV: 'production',
        KUBECONFIG: options.kubeconfig,
        PGRST_OPERATOR_POSTGREST_IMAGE: 'postgrest:scale',
        PGRST_OPERATOR_GATE_IMAGE: 'gate:scale',
        PGRST_OPERATOR_PGBOUNCER_IMAGE: 'pgbouncer:scale',
        PGRST_OPERATOR_METRICS_PORT: String(metricsPort),
        PGRST_OPERATOR_PROBE_PORT: String(probePort),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const ended = once(child, 'exit');
  const told = new Map<string, Told>();
  const warnings = new Map<string, number>();
  const file = createWriteStream(options.logFile, { flags: 'a' });
  createInterface({ input: child.stdout }).on('line', (line) => {
    file.write(`${line}\n`);
    read(line, told, warnings);
  });

  return {
    startedAt,
    told,
    warnings,
    async metrics() {
      const answer = await fetch(`http://127.0.0.1:${String(metricsPort)}/metrics`);
      return parseMetrics(await answer.text());
    },
    cpuSeconds() {
      const stat = readFileSync(`/proc/${String(child.pid)}/stat`, 'utf8');
      // The command in parentheses may hold anything; the fields behind it are utime, the 14th of all, and stime.
      const [user = 0, system = 0] = stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .slice(11, 13)
        .map(Number);
      return (user + system) / ticksPerSecond;
    },
    rssMb() {
      const status = readFileSync(`/proc/${String(child.pid)}/status`, 'utf8');
      const mb = (field: string) =>
        Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
      return { now: mb('VmRSS'), peak: mb('VmHWM') };
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
      file.end();
    },
  };
}

interface Line {
  readonly time?: string;
  readonly level?: string;
  readonly msg?: string;
  readonly controller?: string;
  readonly key?: string;
  readonly outcome?: string;
}

// A reconcile is logged when it came to something else than the one before, so each object's first one is.
function read(text: string, told: Map<string, Told>, warnings: Map<string, number>): void {
  const { time = '', level, msg = '', controller, key, outcome } = JSON.parse(text) as Line;
  if (level === 'warn' || level === 'error') warnings.set(msg, (warnings.get(msg) ?? 0) + 1);
  if (controller === undefined || key === undefined) return;
  const at = Date.parse(time);
  const known = told.get(`${controller} ${key}`);
  told.set(`${controller} ${key}`, { firstAt: known?.firstAt ?? at, lastAt: at, outcome });
}
