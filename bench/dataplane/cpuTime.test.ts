import { expect, test } from 'vitest';
import { cpuSecondsOfServices, parseStat, ticksBelow } from './cpuTime.ts';

test('a command with spaces and parentheses hides no number', () => {
  expect(parseStat('42 (a (b) c) S 7 42 42 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 99')).toEqual({
    pid: 42,
    parent: 7,
    ticks: 127,
  });
});

test('everything below a process counts, and neither itself nor what is beside it', () => {
  const all = [
    { pid: 1, parent: 0, ticks: 1000 },
    { pid: 2, parent: 1, ticks: 1 },
    { pid: 3, parent: 2, ticks: 10 },
    { pid: 4, parent: 0, ticks: 500 },
  ];
  expect(ticksBelow(all, 1)).toBe(11);
});

test('this machine tells of it', () => {
  expect(cpuSecondsOfServices()).toBeGreaterThanOrEqual(0);
});
