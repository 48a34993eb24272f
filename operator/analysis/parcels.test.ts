import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createUnpacker, pack, parcelWeight, type Parcel } from './parcels.ts';

function unpacked(parcels: readonly Parcel[]): unknown {
  const unpacker = createUnpacker();
  parcels.forEach((parcel) => {
    unpacker.add(structuredClone(parcel));
  });
  return unpacker.take();
}

const long = (text: string): string => text.repeat(Math.ceil((2.5 * parcelWeight) / text.length));
const many = <T>(value: T): readonly T[] => Array.from({ length: Math.ceil(parcelWeight / 50) }, () => value);

const leaf = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(undefined, null, true, 1.5, '', long('ab'), long('😀'), many('x'), many({ a: [1] })),
);
const value = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('node'), { maxLength: 6 }),
    fc.dictionary(fc.string({ maxLength: 3 }), tie('node'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).node;

test('property: what was packed is unpacked, in pieces that are small', () => {
  fc.assert(
    fc.property(value, (given) => {
      const parcels = [...pack(given)];
      expect(unpacked(parcels)).toEqual(given);
      for (const parcel of parcels)
        expect(JSON.stringify(parcel).length).toBeLessThan(parcelWeight * 6 + 100);
    }),
  );
});

test('thousands of small things travel in few pieces', () => {
  const migrations = Array.from({ length: 5000 }, (_, n) => ({ name: `m${n}`, sql: 'x'.repeat(200) }));
  const parcels = [...pack(['readMigrations', [migrations]])];
  expect(parcels.length).toBeLessThan(30);
  expect(unpacked(parcels)).toEqual(['readMigrations', [migrations]]);
});

test('what is small travels at once', () => {
  expect([...pack(['a', { b: 1 }])]).toEqual([{ kind: 'value', value: ['a', { b: 1 }] }]);
});
