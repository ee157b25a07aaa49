import assert from 'node:assert/strict';
import { test } from 'node:test';

import { longestFirst, startOrder } from './order.ts';

const job = (id: string, priority: number, waitSeconds: number | null = null) => ({ id, priority, waitSeconds });

test('jobs start by their priority, then by their ids', () => {
  const jobs = [job('b', 0), job('c', 5), job('a', 0), job('d', -1)];
  assert.deepEqual(jobs.sort(startOrder).map(({ id }) => id), ['c', 'a', 'b', 'd']);
});

test('those without a wait come last', () => {
  const jobs = [job('a', 0), job('b', 0, 3), job('c', 0, 7)];
  assert.deepEqual(jobs.sort(longestFirst).map(({ id }) => id), ['c', 'b', 'a']);
});
