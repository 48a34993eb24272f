import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sqlChecksum } from './checksum.ts';
import { planMigrations } from './planMigrations.ts';

const spec = (...names: string[]) => names.map((name) => ({ name, sql: `select '${name}'` }));
const ledger = (...names: string[]) =>
  spec(...names).map(({ name, sql }) => ({ name, checksum: sqlChecksum(sql) }));

test.each([
  { applied: [], wanted: [], pending: [] },
  { applied: [], wanted: ['a', 'b'], pending: ['a', 'b'] },
  { applied: ['a'], wanted: ['a', 'b'], pending: ['b'] },
  { applied: ['a', 'b'], wanted: ['a', 'b'], pending: [] },
])('after $applied, $wanted runs $pending', ({ applied, wanted, pending }) => {
  expect(planMigrations(ledger(...applied), spec(...wanted))).toEqual({
    kind: 'run',
    pending: spec(...pending),
  });
});

test.each([
  { applied: ['a', 'b'], wanted: ['b'], reason: 'MigrationMissing', migration: 'a', says: 'put it back' },
  { applied: ['a', 'b'], wanted: ['a'], reason: 'MigrationMissing', migration: 'b', says: 'put it back' },
  {
    applied: ['a', 'b'],
    wanted: ['b', 'a'],
    reason: 'MigrationOrderChanged',
    migration: 'b',
    says: 'order in which they ran',
  },
  {
    applied: ['a', 'b'],
    wanted: ['a', 'new', 'b'],
    reason: 'MigrationOrderChanged',
    migration: 'new',
    says: 'move new behind b',
  },
])('after $applied, $wanted is blocked: $reason', ({ applied, wanted, reason, migration, says }) => {
  const plan = planMigrations(ledger(...applied), spec(...wanted));
  expect(plan).toMatchObject({ kind: 'blocked', reason, migration });
  expect(plan.kind === 'blocked' && plan.message).toContain(says);
});

test.each([
  { wanted: ['a', 'b', 'c'], result: { kind: 'run', pending: spec('b', 'c') } },
  { wanted: ['a'], result: { reason: 'MigrationMissing', migration: 'b' } },
  { wanted: ['a', 'c'], result: { reason: 'MigrationMissing', migration: 'b' } },
  { wanted: ['a', 'c', 'b'], result: { reason: 'MigrationOrderChanged', migration: 'c' } },
])('after a, and with b begun, $wanted gives $result', ({ wanted, result }) => {
  const begun = { name: 'b', statementsDone: 2 };
  expect(planMigrations(ledger('a'), spec(...wanted), begun)).toMatchObject(result);
});

test('of a begun migration it is said how far it came', () => {
  const plan = planMigrations([], [], { name: 'b', statementsDone: 2 });
  expect(plan.kind === 'blocked' && plan.message).toContain('2 of its statements have run');
});

test('a changed migration is blocked by name, and the message says to add a new one', () => {
  const plan = planMigrations(ledger('a', 'b'), [...spec('a'), { name: 'b', sql: 'select 2' }, ...spec('c')]);
  expect(plan).toMatchObject({ kind: 'blocked', reason: 'MigrationChanged', migration: 'b' });
  expect(plan.kind === 'blocked' && plan.message).toContain('in a new migration');
});

test('a checksum sees every change but that of line endings', () => {
  expect(sqlChecksum('select 1;\r\n')).toBe(sqlChecksum('select 1;\n'));
  expect(sqlChecksum('select 1; -- a')).not.toBe(sqlChecksum('select 1; -- b'));
  expect(sqlChecksum('select 1')).not.toBe(sqlChecksum('select 1 '));
});

test('property: any prefix of the spec in the ledger leaves the rest to run, in order', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ minLength: 1 })), fc.nat(), (names, n) => {
      const done = names.slice(0, n % (names.length + 1));
      const plan = planMigrations(ledger(...done), spec(...names));
      expect(plan).toEqual({ kind: 'run', pending: spec(...names.slice(done.length)) });
    }),
  );
});
