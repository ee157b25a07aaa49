import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { linearScale, logScale, segments } from './scales.ts';

const value = fc.double({ min: 1e-6, max: 1e9, noNaN: true });

test('a log scale has round durations as its marks', () => {
  const { at, marks } = logScale([0.02, 700]);
  assert.deepEqual(marks, [0.01, 1, 60, 3_600]);
  assert.equal(at(0.01), 0);
  assert.equal(at(3_600), 1);
  assert.equal(at(0), 0);
  assert.deepEqual(logScale([1, 20]).marks, [1, 10, 60]);
});

test('a log scale keeps the order, and everything inside', () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 2 }), (values) => {
      const { at } = logScale(values);
      const sorted = [...values].sort((a, b) => a - b).map(at);
      assert.ok(sorted.every((part, index) => part >= 0 && part <= 1 && part >= (sorted[index - 1] ?? 0)));
    }),
  );
});

test('a log scale of nothing, or of zeros, has marks', () => {
  assert.ok(logScale([]).marks.length > 1);
  assert.ok(logScale([0, 0]).marks.length > 1);
});

test('a linear scale ends at a round number above all values, or at its limit', () => {
  assert.deepEqual(linearScale([3, 42]).marks, [0, 25, 50]);
  assert.deepEqual(linearScale([0.9], 1).marks, [0, 0.5, 1]);
  assert.deepEqual(linearScale([0]).marks, [0, 0.5, 1]);
  fc.assert(
    fc.property(fc.array(value, { minLength: 1 }), (values) => {
      const [, , top = 0] = linearScale(values).marks;
      assert.ok(top >= Math.max(...values));
    }),
  );
});

test('a line is broken where values are missing', () => {
  assert.deepEqual(segments([1, 2, null, 3, null, null, 4]), [[0, 1], [3], [6]]);
  assert.deepEqual(segments([null]), []);
});
