import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { localInputText } from './format.ts';
import { instantOfInput } from './local-input.ts';

test('a field is read in its zone', () => {
  assert.equal(instantOfInput('2026-11-26T14:02', 'Asia/Kathmandu'), Date.UTC(2026, 10, 26, 8, 17));
  assert.equal(instantOfInput('2026-11-26T14:02:05', 'UTC'), Date.UTC(2026, 10, 26, 14, 2, 5));
  assert.equal(instantOfInput('', 'UTC'), null);
});

test('what a field is filled with is read as the same second', () => {
  const instants = fc.integer({ min: Date.UTC(2001, 0), max: Date.UTC(2090, 0) });
  fc.assert(
    fc.property(instants, (instant) => {
      const second = Math.floor(instant / 1_000) * 1_000;
      const text = localInputText(second, 'Asia/Kathmandu');
      assert.equal(instantOfInput(text, 'Asia/Kathmandu'), second);
    }),
  );
});
