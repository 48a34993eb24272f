import { expect, test } from 'vitest';
import { names, revisionLabels, revisionOf, revisionSelector, selectorText } from './names.ts';

test('the revision of one instance has never the name of another instance or of its revisions', () => {
  expect(names('todo').revision(1)).toBe('todo-r1-602fa');
  expect(names('todo').revision(1)).not.toBe(names('todo-r1').stableService);
  expect(names('todo').revision(11)).not.toBe(names('todo-r1').revision(1));
});

test('the longest name that an instance may have leaves room for 6 digits of revisions', () => {
  const { canaryIngress, pooler, revision } = names('x'.repeat(40));
  for (const name of [canaryIngress, pooler, revision(999_999)]) expect(name.length).toBeLessThanOrEqual(63);
});

test('labels, selector and selector text name the same revision', () => {
  expect(revisionLabels('todo', 7)).toMatchObject(revisionSelector('todo', 7));
  expect(selectorText('todo', 7)).toBe('pgrst.dev/instance=todo,pgrst.dev/revision=7');
  expect(revisionOf(revisionLabels('todo', 7))).toBe(7);
});

test.each([
  undefined,
  {},
  { 'pgrst.dev/revision': 'x' },
  { 'pgrst.dev/revision': '0' },
  { 'pgrst.dev/revision': '' },
])('labels %j name no revision', (labels) => {
  expect(revisionOf(labels)).toBeUndefined();
});
