import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { operatorNamespace } from '../hack/kube/operator.ts';
import { ready } from './support/conditions.ts';
import { runJourney, type Journey } from './support/journey.ts';
import { seededRandom } from './support/random.ts';

const operatorPods = ['pods', '-n', operatorNamespace, '-l', 'app.kubernetes.io/name=postgrest-operator'];

test('a rollout completes although operator pods are deleted at random moments of it', () =>
  runJourney('chaos', async (journey) => {
    const random = seededRandom();
    await journey.applySchema('v2');
    // Half of the deletions are kills: no time to release the Lease or to finish a write.
    for (let kill = 0; kill < 4; kill++) {
      await delay(random() * 6000);
      const names = (await journey.kubectl(['get', ...operatorPods, '-o', 'name'])).trim().split('\n');
      const victim = names[Math.floor(random() * names.length)] ?? '';
      const force = kill % 2 === 0 ? ['--grace-period=0', '--force'] : [];
      await journey.kubectl.attempt(['delete', '-n', operatorNamespace, victim, '--wait=false', ...force]);
    }
    await journey.instance.until('revision 2 is stable and Ready', (object) => {
      return object.status?.stable?.revision === 2 && ready(object);
    });
    expect(await journey.answering(200)).toEqual(['2']);
    await operatorIsBack(journey);
  }));

test('a migration whose operator dies in the middle of it is applied exactly once', () =>
  runJourney('once', async (journey) => {
    const migration = {
      name: '002-slow',
      sql: "insert into data.tasks (title) values ('exactly once'); select pg_sleep(5);",
    };
    await journey.applySchema('v1', (spec) => ({
      ...spec,
      migrations: [...(spec.migrations ?? []), migration],
    }));
    await journey.sql(waitForBackend('%pg_sleep(5)%'));
    await journey.kubectl(['delete', ...operatorPods, '--grace-period=0', '--force', '--wait=false']);

    await journey.schema.until('both migrations are applied', (object) => {
      return object.status?.migrations?.applied === 2 && ready(object);
    });
    expect(await journey.sql("select count(*) from data.tasks where title = 'exactly once'")).toBe('1');
    await operatorIsBack(journey);
  }));

/** SQL that returns once another backend runs a statement like the pattern. */
function waitForBackend(pattern: string): string {
  return `do $$ begin
    while not exists (
      select from pg_stat_activity
      where pid <> pg_backend_pid() and state = 'active' and query like '${pattern}'
    ) loop
      perform pg_sleep(0.05), pg_stat_clear_snapshot();
    end loop;
  end $$`;
}

async function operatorIsBack(journey: Journey): Promise<void> {
  const names = ['-n', operatorNamespace, 'deployment', '-l', 'app.kubernetes.io/name=postgrest-operator'];
  await journey.kubectl(['wait', '--for=condition=Available', ...names, '--timeout=120s']);
}
