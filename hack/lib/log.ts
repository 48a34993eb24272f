/** Where the hack scripts report what they do. */
export interface Log {
  /** Prints one line. */
  say(line: string): void;
  /** Runs work under a title: says that it began, that it still goes on, and how long it took. */
  step<T>(title: string, work: () => Promise<T>): Promise<T>;
}

interface Output {
  isTTY?: boolean;
  write(text: string): unknown;
}

const tickMs = 1_000;
const reminderMs = 30_000;

/** Renders a duration the way people read it: `0.4 s`, `12 s`, `4 min 57 s`. */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds < 120
    ? `${String(seconds)} s`
    : `${String(Math.floor(seconds / 60))} min ${String(seconds % 60)} s`;
}

/** A log for people: on a terminal the running step ticks in place, elsewhere it repeats itself every half minute. */
export function createLog(output: Output = process.stderr): Log {
  const live = output.isTTY === true;
  let ticking: string | undefined;

  const print = (line: string): void => {
    output.write(ticking === undefined ? `${line}\n` : `\r\x1b[K${line}\n`);
  };

  return {
    say: print,
    async step(title, work) {
      const started = performance.now();
      const elapsed = (): string => duration(performance.now() - started);
      let announced = false;
      let reminded = started;
      const timer = setInterval(() => {
        if (live) {
          ticking = title;
          output.write(`\r\x1b[K  … ${title}, ${elapsed()}`);
        } else if (!announced) {
          announced = true;
          print(`  … ${title}`);
        } else if (performance.now() - reminded >= reminderMs) {
          reminded = performance.now();
          print(`  … still ${title}, ${elapsed()}`);
        }
      }, tickMs);
      try {
        const result = await work();
        print(`  ✓ ${title} (${elapsed()})`);
        return result;
      } catch (error) {
        print(`  ✗ ${title} (${elapsed()})`);
        throw error;
      } finally {
        clearInterval(timer);
        ticking = undefined;
      }
    },
  };
}

/** A log that says nothing. */
export const silent: Log = { say: () => undefined, step: (_title, work) => work() };
