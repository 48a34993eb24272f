import { expect, test } from 'vitest';
import { findCondition, isTrue, rfc3339, setCondition, type Condition } from './conditions.ts';

const noon = Date.UTC(2026, 0, 1, 12);
const ready: Condition = {
  type: 'Ready',
  status: 'True',
  reason: 'Served',
  message: 'All is well.',
  observedGeneration: 1,
  lastTransitionTime: '2026-01-01T00:00:00Z',
};

test('a new condition goes to the end and has the time of now', () => {
  const { lastTransitionTime: _, ...draft } = ready;
  expect(setCondition([{ ...ready, type: 'Other' }], draft, noon)).toEqual([
    { ...ready, type: 'Other' },
    { ...ready, lastTransitionTime: '2026-01-01T12:00:00Z' },
  ]);
});

test('the time of the last transition stays while the status stays, whatever else changes', () => {
  const [changed] = setCondition(
    [ready],
    { ...ready, reason: 'Other', message: 'x', observedGeneration: 2 },
    noon,
  );
  expect(changed).toEqual({ ...ready, reason: 'Other', message: 'x', observedGeneration: 2 });
});

test('a change of the status is a transition, and the condition keeps its place', () => {
  const list = setCondition([ready, { ...ready, type: 'Other' }], { ...ready, status: 'False' }, noon);
  expect(list.map(({ type }) => type)).toEqual(['Ready', 'Other']);
  expect(list[0]?.lastTransitionTime).toBe('2026-01-01T12:00:00Z');
});

test('deciding the same again gives an equal list, and the given list is left alone', () => {
  const list = [ready];
  expect(setCondition(list, ready, noon)).toEqual(list);
  expect(list).toEqual([ready]);
});

test('conditions are found by type', () => {
  expect(findCondition([ready], 'Ready')).toBe(ready);
  expect(findCondition(undefined, 'Ready')).toBeUndefined();
  expect(isTrue([ready], 'Ready')).toBe(true);
  expect(isTrue([{ ...ready, status: 'Unknown' }], 'Ready')).toBe(false);
});

test('times have no fraction of a second, as metav1.Time', () => {
  expect(rfc3339(noon + 999)).toBe('2026-01-01T12:00:00Z');
});
