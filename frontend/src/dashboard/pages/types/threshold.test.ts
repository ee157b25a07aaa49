import assert from 'node:assert/strict';
import { test } from 'node:test';

import { slowThreshold } from './threshold.ts';

const run = (count: number) => ({ count, p50: 1, p95: 10, p99: 100 });

test('few jobs are all looked at; of many the slowest hundredth', () => {
  assert.equal(slowThreshold(run(20)), 0);
  assert.equal(slowThreshold(run(80)), 0.99);
  assert.equal(slowThreshold(run(900)), 9.9);
  assert.equal(slowThreshold(run(9_000)), 99);
});

test('without jobs there is nothing to look for', () => {
  assert.equal(slowThreshold({ count: 0, p50: null, p95: null, p99: null }), null);
});
