import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, parseDuration, writeDuration } from './durations.ts';

test('durations are shown with two units at most', () => {
  const shown: [number, string][] = [
    [0, '0 ms'],
    [0.0004, '0.4 ms'],
    [0.412, '412 ms'],
    [0.9996, '1 s'],
    [1.24, '1.2 s'],
    [9.96, '10 s'],
    [59.4, '59 s'],
    [59.6, '1 min'],
    [184, '3 min 4 s'],
    [3_599.7, '1 h'],
    [3_660, '1 h 1 min'],
    [86_399, '1 d'],
    [183_600, '2 d 3 h'],
    [86_400 * 1_234, '1,234 d'],
    [-2, '−2 s'],
    [Number.NaN, '–'],
  ];
  for (const [seconds, text] of shown) assert.equal(formatDuration(seconds), text);
});

test('durations have the decimal separator of the language', () => {
  assert.equal(formatDuration(1.24, 'de'), '1,2 s');
});

test('durations are read with any units', () => {
  const read: [string, number | null][] = [
    ['5m', 300],
    ['5', 5],
    ['1h30m', 5_400],
    ['1.5h', 5_400],
    ['250ms', 0.25],
    ['3 min 4 s', 184],
    ['-7d', -604_800],
    ['1w', 604_800],
    ['', null],
    ['5x', null],
    ['m', null],
    ['1h-5m', null],
    ['1e999s', null],
  ];
  for (const [text, seconds] of read) assert.equal(parseDuration(text), seconds, text);
});

test('what is written is the same number when it is read', () => {
  assert.equal(writeDuration(300), '5m');
  assert.equal(writeDuration(90), '90s');
  assert.equal(writeDuration(0.25), '250ms');
  assert.equal(writeDuration(0), '0s');
  const numbers = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer({ min: -1e9, max: 1e9 }),
    fc.integer({ min: 0, max: 1e6 }).map((number) => number / 1_000),
  );
  fc.assert(
    fc.property(numbers, (seconds) => {
      assert.equal(parseDuration(writeDuration(seconds)), seconds + 0);
    }),
    { numRuns: 2_000 },
  );
});
