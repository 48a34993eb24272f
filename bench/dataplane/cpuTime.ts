import { readdirSync, readFileSync } from 'node:fs';

/** Of /proc/PID/stat, on every Linux that Node runs on (getconf CLK_TCK). */
const ticksPerSecond = 100;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** CPU time of the process and of its children that have ended, in clock ticks. */
  readonly ticks: number;
}

/**
 * CPU time so far of all processes that this one has started and that still run, with theirs, in seconds: the services,
 * PgBouncer, and PostgreSQL with its backends. Whoever sends the load has ended by then and is not in it.
 */
export function cpuSecondsOfServices(): number {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [parseStat(readFileSync(`/proc/${name}/stat`, 'utf8'))];
      } catch {
        return []; // it has just ended
      }
    });
  return ticksBelow(all, process.pid) / ticksPerSecond;
}

/** The numbers in a text of /proc/PID/stat. */
export function parseStat(text: string): Stat {
  // The command in parentheses may hold anything. The fields behind it: the state, the parent, and from the 14th of all
  // on utime, stime, cutime and cstime.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { pid: Number.parseInt(text, 10), parent: Number(fields[1]), ticks };
}

/** The ticks of everything below a process in the tree. */
export function ticksBelow(all: readonly Stat[], root: number): number {
  return all
    .filter(({ parent }) => parent === root)
    .reduce((sum, { pid, ticks }) => sum + ticks + ticksBelow(all, pid), 0);
}
