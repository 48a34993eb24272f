import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../hack/lib/exec.ts';
import { cpuSecondsOfServices } from './cpuTime.ts';
import type { Call } from './endpoints.ts';

/** What clients saw of one kind of request. */
export interface Figures {
  /** Answers. */
  readonly requests: number;
  /** Requests without an answer, or with a status of 400 and more. */
  readonly errors: number;
  readonly perSecond: number;
  /** Latency in milliseconds. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** CPU time of all processes that answer, PostgreSQL among them, in milliseconds for each request. */
  readonly cpuMs: number;
}

/** How much is sent: so many connections, each of which waits for its answer, for so many seconds. */
export interface Load {
  readonly connections: number;
  /** How long it is sent before it is measured. */
  readonly warmSeconds: number;
  readonly seconds: number;
}

/**
 * A file for wrk that sends these calls in turn. Each thread of wrk has one of the ports, so there must be as many
 * threads as ports.
 */
export function wrkScript(calls: readonly Call[], ports: readonly number[]): string {
  const requests = calls.map((call) => `  ${JSON.stringify(httpText(call))},`);
  return `local requests = {
${requests.join('\n')}
}
local ports = { ${ports.join(', ')} }
local threads = 0
local sent = 0

function setup(thread)
  thread.addr = wrk.lookup("127.0.0.1", tostring(ports[threads % #ports + 1]))[1]
  thread:set("first", threads * 37)
  threads = threads + 1
end

function request()
  sent = sent + 1
  return requests[(first + sent) % #requests + 1]
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format("\\nfigures %d %d %d %d %d %d\\n", summary.requests,
    e.connect + e.read + e.write + e.timeout + e.status, summary.duration,
    latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
`;
}

function httpText({ method, path, body }: Call): string {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: bench.example.test', 'Accept: application/json'];
  if (body !== undefined)
    lines.push('Content-Type: application/json', `Content-Length: ${String(body.length)}`);
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`;
}

/** The figures in what wrk printed with such a file. */
export function readWrk(output: string): Omit<Figures, 'cpuMs'> {
  const found = /^figures (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$/m.exec(output);
  if (found === null) throw new Error(`wrk printed no figures:\n${output}`);
  const [requests = 0, errors = 0, microseconds = 0, p50 = 0, p95 = 0, p99 = 0] = found.slice(1).map(Number);
  return {
    requests,
    errors,
    perSecond: requests / (microseconds / 1e6),
    p50: p50 / 1000,
    p95: p95 / 1000,
    p99: p99 / 1000,
  };
}

/** Sends the calls to the ports for a while. Errors count from the first request on, all else after the warming up. */
export async function runWrk(
  scratch: string,
  calls: readonly Call[],
  ports: readonly number[],
  { connections, warmSeconds, seconds }: Load,
): Promise<Figures> {
  const file = join(scratch, 'wrk.lua');
  writeFileSync(file, wrkScript(calls, ports));
  const send = async (duration: number) =>
    await run('wrk', [
      ...[`-t${String(ports.length)}`, `-c${String(connections)}`, `-d${String(duration)}s`],
      ...['--timeout', '10s', '-s', file, `http://127.0.0.1:${String(ports[0])}`],
    ]);
  const warming = readWrk(await send(warmSeconds));
  const before = cpuSecondsOfServices();
  const figures = readWrk(await send(seconds));
  const cpuMs = ((cpuSecondsOfServices() - before) / figures.requests) * 1000;
  if (figures.requests === 0) throw new Error(`nobody answered on ${ports.join(', ')}`);
  return { ...figures, cpuMs, errors: figures.errors + warming.errors };
}
