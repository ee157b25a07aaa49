import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ExactValue } from '../../json/value.ts';
import { writeExact } from '../../json/write.ts';
import { holdsRedacted, readPayload } from './payload-text.ts';

test('a payload is sent as it is written', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      const text = writeExact(JSON.parse(JSON.stringify(json)) as ExactValue, 2);
      fc.pre(!text.includes('[redacted]'));
      const edited = readPayload(text);
      assert.equal(edited.kind, 'value');
      if (edited.kind === 'value') assert.equal(writeExact(edited.value, 2), text);
    }),
  );
});

test('a fault has its place', () => {
  assert.deepEqual(readPayload('{\n  "a": 1,\n  b\n}'), { kind: 'fault', line: 3, column: 3 });
});

test('what is hidden is not sent', () => {
  assert.equal(readPayload('{"a":[{"password":"[redacted]"}]}').kind, 'redacted');
  assert.equal(readPayload('["postgres://[redacted]@db/x"]').kind, 'redacted');
  assert.equal(readPayload('["not [redacted] at all"]').kind, 'value');
});

test('depth is not bounded by the stack', () => {
  let value: ExactValue = '[redacted]';
  for (let depth = 0; depth < 100_000; depth += 1) value = [value];
  assert.equal(holdsRedacted(value), true);
});
