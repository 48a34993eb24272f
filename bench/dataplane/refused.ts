import type { Contender } from './contenders.ts';

/**
 * Requests whose statement PostgreSQL refuses to parse, as every client can send them, and what is the right answer. The
 * first is for a column that is not there, the second for a view.
 */
const refused = [
  { path: '/items?select=no_such_column', status: 400 },
  { path: '/no_such_view', status: 404 },
] as const;
const times = 20;

/**
 * Asks for what is not there, one request after the other; gives how many answers had which status. Behind PgBouncer with
 * prepared statements it is not always the right one (docs/decisions/0048).
 */
export async function askForWhatIsNotThere({ ports }: Contender): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let n = 0; n < times; n += 1)
    for (const { path, status } of refused) {
      const port = ports[n % ports.length];
      const answer = await fetch(`http://127.0.0.1:${String(port)}${path}`);
      await answer.arrayBuffer();
      const kind = answer.status === status ? 'right' : String(answer.status);
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
  return counts;
}
