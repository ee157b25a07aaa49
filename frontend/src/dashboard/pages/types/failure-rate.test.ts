import assert from 'node:assert/strict';
import { test } from 'node:test';

import { failedRuns, failureRate } from './failure-rate.ts';

const counts = (succeeded: number, failed: number, dead: number) =>
  [
    { status: 'SUCCEEDED', count: { value: succeeded } },
    { status: 'FAILED', count: { value: failed } },
    { status: 'DEAD_LETTER', count: { value: dead } },
    { status: 'QUEUED', count: { value: 100 } },
  ] as const;

test('the rate is of jobs that ended, without those that were canceled', () => {
  assert.equal(failureRate(counts(6, 1, 1)), 0.25);
  assert.equal(failureRate(counts(6, 0, 0)), 0);
});

test('where nothing ended there is no rate', () => {
  assert.equal(failureRate(counts(0, 0, 0)), null);
  assert.equal(failedRuns({ succeeded: 0, failed: 0 }), null);
  assert.equal(failedRuns({ succeeded: 1, failed: 3 }), 0.75);
});
