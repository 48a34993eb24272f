import { expect, test } from 'vitest';
import { allCells, nameOf, sampleCells } from './matrix.ts';

const cells = allCells();

test('every fault is in every phase, under a name of its own', () => {
  expect(new Set(cells.map(nameOf)).size).toBe(cells.length);
  expect(cells).toHaveLength(12 * 11);
});

test('a seed gives the same sample again, and another seed another one', () => {
  const names = (seed: number) => sampleCells(cells, 5, seed).map(nameOf);
  expect(names(7)).toEqual(names(7));
  expect(names(7)).not.toEqual(names(8));
});

test('three days in a row meet every kind of fault', () => {
  for (let day = 20_000; day < 20_050; day += 1) {
    const kinds = [day, day + 1, day + 2].flatMap((seed) =>
      sampleCells(cells, 5, seed).map(({ fault }) => fault.name),
    );
    expect(new Set(kinds).size, `from day ${day}`).toBe(11);
  }
});

test('a sample is not larger than there are faults, and stays within the cells it is drawn from', () => {
  const few = cells.filter(({ phase }) => phase.operation === 'abort');
  const sample = sampleCells(few, 50, 3);
  expect(sample).toHaveLength(11);
  expect(sample.every((cell) => few.includes(cell))).toBe(true);
});
