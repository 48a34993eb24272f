import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLog, duration } from './log.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function recorder(isTTY: boolean): { isTTY: boolean; write: (text: string) => void; text: () => string } {
  const written: string[] = [];
  return { isTTY, write: (text) => written.push(text), text: () => written.join('') };
}

it('says durations the way people do', () => {
  expect([400, 12_300, 119_400, 297_000].map(duration)).toEqual(['0.4 s', '12 s', '119 s', '4 min 57 s']);
});

it('says one line for a short step', async () => {
  const output = recorder(false);
  await createLog(output).step('building', () => Promise.resolve());
  expect(output.text()).toBe('  ✓ building (0.0 s)\n');
});

it('says every half minute that a long step still goes on, where there is no terminal', async () => {
  const output = recorder(false);
  const done = createLog(output).step(
    'building',
    () => new Promise((resolve) => setTimeout(resolve, 65_000)),
  );
  await vi.advanceTimersByTimeAsync(65_000);
  await done;
  expect(output.text()).toMatch(
    /^ {2}… building\n {2}… still building, 30 s\n {2}… still building, 60 s\n {2}✓ building \(65 s\)\n$/,
  );
});

it('ticks in place on a terminal', async () => {
  const output = recorder(true);
  const done = createLog(output).step('building', () => new Promise((resolve) => setTimeout(resolve, 2_500)));
  await vi.advanceTimersByTimeAsync(2_500);
  await done;
  expect(output.text().split('\n')).toHaveLength(2);
  expect(output.text()).toContain('\r\x1b[K  … building, 2.0 s');
});

it('marks a step that failed and passes its error on', async () => {
  const output = recorder(false);
  await expect(createLog(output).step('building', () => Promise.reject(new Error('no')))).rejects.toThrow(
    'no',
  );
  expect(output.text()).toContain('✗ building');
});
