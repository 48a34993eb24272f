// One contestant in a process of its own: what it is to do comes as JSON on standard input, what it found out goes as
// JSON to standard output. Each loads its own code only, so that start and memory are its own too.
import { text } from 'node:stream/consumers';
import { smallMigrations } from './plan.ts';

/** What `contestant.ts` is to do. */
export interface Task {
  readonly who: 'ours' | 'floor' | 'noop';
  /** URI of the database's owner. */
  readonly uri: string;
  /** How many migrations. */
  readonly count: number;
}

const { who, uri, count } = JSON.parse(await text(process.stdin)) as Task;
const migrations = smallMigrations(count);
if (who === 'floor') {
  const { applyWithoutUs } = await import('./floor.ts');
  await applyWithoutUs(uri, migrations);
} else {
  const { apply, cpuMsOfCheck } = await import('./ours.ts');
  if (who === 'ours') await apply(uri, migrations);
  else console.log(JSON.stringify(await cpuMsOfCheck(uri, migrations)));
}
