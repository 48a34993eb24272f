import { expect, test } from 'vitest';
import { condition, notReady, ready } from './support/conditions.ts';
import { runJourney, type Journey } from './support/journey.ts';
import { schemaManifest, type WrittenSchema } from './support/manifests.ts';

interface Mistake {
  readonly what: string;
  readonly edit: (spec: WrittenSchema) => WrittenSchema;
  readonly reason: string;
  /** What the sentence must name. */
  readonly names: RegExp;
}

const mistakes: readonly Mistake[] = [
  {
    what: 'a migration with a syntax error',
    edit: (spec) => ({ ...spec, migrations: [...(spec.migrations ?? []), brokenMigration()] }),
    reason: 'MigrationFailed',
    names: /003-priority/,
  },
  {
    what: 'an applied migration that was changed afterwards',
    edit: (spec) => ({
      ...spec,
      migrations:
        spec.migrations?.map((migration) => ({ ...migration, sql: `${migration.sql ?? ''}\n-- edited` })) ??
        [],
    }),
    reason: 'MigrationChanged',
    names: /001-tasks/,
  },
  {
    what: 'a database that cannot be reached',
    edit: (spec) => ({ ...spec, database: { uriSecretRef: { name: 'unreachable', key: 'uri' } } }),
    reason: 'DatabaseUnreachable',
    names: /nowhere|127\.0\.0\.1|unreachable/,
  },
  {
    what: 'a Secret that does not exist',
    edit: (spec) => ({ ...spec, database: { uriSecretRef: { name: 'missing', key: 'uri' } } }),
    reason: 'SecretNotFound',
    names: /missing/,
  },
];

test('each mistake gets its own reason and a sentence that says what to do, and the API goes on serving', () =>
  runJourney('errors', async (journey) => {
    const { schema, kubectl, namespace } = journey;
    const uri = 'postgres://tasks_owner:not-for-logs@127.0.0.1:9/tasks';
    await kubectl(['apply', '-f', '-'], secret(namespace, 'unreachable', { uri }));

    for (const mistake of mistakes) {
      await journey.applySchema('v1', mistake.edit);
      const refused = await schema.until(`${mistake.what}: ${mistake.reason}`, (object) =>
        notReady(object, mistake.reason),
      );
      expectAdvice(condition(refused, 'Ready')?.message, mistake.names);
      if (mistake.reason === 'MigrationFailed')
        expect(refused.status?.lastError).toMatchObject({
          migration: '003-priority',
          line: 5,
          sqlstate: '42601',
          message: expect.stringContaining('were') as unknown,
        });
      await expectStillServing(journey);

      await journey.applySchema('v1');
      await schema.until(`${mistake.what} is put right`, ready);
    }
  }));

test('an unknown schemaRef is named, and the API goes on serving', () =>
  runJourney('schema-ref', async (journey) => {
    await journey.applyInstance((spec) => ({ ...spec, schemaRef: { name: 'unheard-of' } }));
    const lost = await journey.instance.until('SchemaNotFound', (object) =>
      notReady(object, 'SchemaNotFound'),
    );
    expectAdvice(condition(lost, 'Ready')?.message, /unheard-of/);
    expect(condition(lost, 'Available')?.status).toBe('True');
    await expectStillServing(journey);

    await journey.applyInstance();
    await journey.instance.until('it is put right', ready);
  }));

/** The last migration of examples/tasks/broken. */
function brokenMigration(): NonNullable<WrittenSchema['migrations']>[number] {
  const migration = (schemaManifest('any', 'broken').spec as WrittenSchema).migrations?.at(-1);
  if (migration === undefined) throw new Error('examples/tasks/broken has no migration');
  return migration;
}

function secret(namespace: string, name: string, stringData: Record<string, string>): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData });
}

function expectAdvice(message: string | undefined, names: RegExp): void {
  expect(message).toMatch(names);
  expect(message, 'no credential in a condition').not.toContain('not-for-logs');
  expect(message?.split(/\s+/).length, `a sentence: ${message ?? ''}`).toBeGreaterThan(6);
}

async function expectStillServing(journey: Journey): Promise<void> {
  expect(await journey.answering(100)).toEqual(['1']);
}
