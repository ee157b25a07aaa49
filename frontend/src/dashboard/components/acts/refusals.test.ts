import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ACTS, type Act, refusalOf, type Subject } from './refusals.ts';

const ALLOWED: Record<Subject['status'], readonly string[]> = {
  QUEUED: ['RUNNING', 'CANCELED'],
  RUNNING: ['QUEUED', 'SUCCEEDED', 'FAILED', 'CANCELED'],
  FAILED: ['QUEUED', 'CANCELED', 'DEAD_LETTER'],
  DEAD_LETTER: ['QUEUED'],
  CANCELED: ['QUEUED'],
  SUCCEEDED: [],
};

function possible(status: Subject['status'], more: Partial<Subject> = {}): Act[] {
  const job = { status, allowedTransitions: ALLOWED[status], ...more };
  return ACTS.filter((act) => refusalOf(act, job) === null);
}

test('a job allows what its status allows', () => {
  assert.deepEqual(possible('QUEUED'), ['cancel', 'reschedule', 'rerun']);
  assert.deepEqual(possible('RUNNING'), ['cancel', 'rerun']);
  assert.deepEqual(possible('FAILED'), ['retry', 'cancel', 'rerun']);
  assert.deepEqual(possible('DEAD_LETTER'), ['retry', 'rerun']);
  assert.deepEqual(possible('CANCELED'), ['retry', 'rerun']);
  assert.deepEqual(possible('SUCCEEDED'), ['rerun']);
});

test('a job of a source allows nothing', () => {
  assert.deepEqual(possible('FAILED', { source: { id: 'source:1' } }), []);
});

test('what the server does not allow is not offered', () => {
  assert.deepEqual(possible('FAILED', { allowedTransitions: [] }), ['rerun']);
  assert.equal(refusalOf('retry', { status: 'FAILED', allowedTransitions: [] }), 'other');
});
