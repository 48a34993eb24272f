// One contestant in a process of its own: what it is to do comes as JSON on standard input, what it found out goes as
// JSON to standard output. Each loads its own code only, so that start and memory are its own too.
import { text } from 'node:stream/consumers';
import { smallMigrations } from './plan.ts';

/** What `contestant.ts` is to do. */
export interface Task {
  readonly who: 'ours' | 'floor' | 'noop';
  /** URI of the database's owner. */
  readonly uri: string;
  /** Do it in this other empty database first, and then print how many seconds it takes in that of `uri`. */
  readonly warmUp?: string;
  /** How many migrations. */
  readonly count: number;
}

const { who, uri, warmUp, count } = JSON.parse(await text(process.stdin)) as Task;
const migrations = smallMigrations(count);
if (who === 'noop') {
  const { cpuMsOfCheck } = await import('./ours.ts');
  console.log(JSON.stringify(await cpuMsOfCheck(uri, migrations)));
} else {
  const apply =
    who === 'ours' ? (await import('./ours.ts')).apply : (await import('./floor.ts')).applyWithoutUs;
  if (warmUp !== undefined) await apply(warmUp, migrations);
  const began = performance.now();
  await apply(uri, migrations);
  if (warmUp !== undefined) console.log(JSON.stringify((performance.now() - began) / 1000));
}
