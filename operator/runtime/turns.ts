/** Runs a piece of work when it is its turn, and gives what it comes to. */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Lets at most `limit` pieces of work run at a time; the others wait in the order in which they came. Whoever is no longer
 * wanted keeps its place: work that should not be done then has to see that by itself.
 */
export function createTurns(limit: number): Turns {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running < limit) running += 1;
    else
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
      });
    try {
      return await work();
    } finally {
      // The place is handed on, so that nobody who comes just now can take it.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
