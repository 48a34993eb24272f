import { expect, test } from 'vitest';
import { readLook } from './connections.ts';

test('a look tells how many connections there are, and from where', () => {
  expect(readLook('connections 21 from 10.244.0.9=20 10.244.0.7=1')).toEqual({
    count: 21,
    from: '10.244.0.9=20 10.244.0.7=1',
  });
});

test('headings, empty lines and a look that saw nothing tell nothing', () => {
  for (const line of ['Sat Nov 21 22:30:00 2026 (every 0.05s)', '', 'connections  from '])
    expect(readLook(line)).toBeUndefined();
});
