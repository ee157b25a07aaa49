import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatBytes } from './bytes.ts';

test('bytes have the largest unit of which there is one', () => {
  assert.equal(formatBytes(0, 'en'), '0 byte');
  assert.equal(formatBytes(999, 'en'), '999 byte');
  assert.equal(formatBytes(412_000, 'en'), '412 kB');
  assert.equal(formatBytes(1_234_567_890, 'de'), '1,2\u00a0GB');
  assert.equal(formatBytes(5e16, 'en'), '50,000 TB');
});
