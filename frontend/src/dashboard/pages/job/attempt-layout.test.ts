import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { layOut, type Run } from './attempt-layout.ts';

const at = (seconds: number): string => new Date(seconds * 1_000).toISOString();
const run = (number: number, from: number, until: number | null, outcome = 'FAILED'): Run => ({
  number,
  startedAt: at(from),
  finishedAt: until === null ? null : at(until),
  outcome: until === null ? null : outcome,
});
const shape = (segments: ReturnType<typeof layOut>): string =>
  segments.map(({ kind, attempt, isCut }) => `${kind}${attempt}${isCut ? '~' : ''}`).join(' ');

test('a job waits, runs, backs off and runs again', () => {
  const attempts = [run(1, 10, 20), run(2, 30, null)];
  const segments = layOut({ createdAt: at(0), queuedAt: at(25), status: 'RUNNING', attempts }, 40_000);
  assert.equal(shape(segments), 'queue1 run1 backoff2 queue2 run2');
  assert.deepEqual(
    segments.map(({ left, right }) => [left, right]),
    [
      [0, 0.25],
      [0.25, 0.5],
      [0.5, 0.625],
      [0.625, 0.75],
      [0.75, 1],
    ],
  );
  assert.deepEqual(segments.map(({ isOpen }) => isOpen), [false, false, false, false, true]);
});

test('a wait that is much longer than the runs is cut', () => {
  const segments = layOut({ createdAt: at(0), queuedAt: at(0), status: 'FAILED', attempts: [run(1, 1_000, 1_010)] }, 0);
  assert.equal(shape(segments), 'queue1~ run1');
  assert.deepEqual(segments[0]?.right, 0.75);
});

test('the time until a job is due is a delay', () => {
  const course = { createdAt: at(0), queuedAt: at(0), scheduledAt: at(50), status: 'QUEUED', attempts: [] };
  assert.equal(shape(layOut(course, 20_000)), 'delay1');
  assert.equal(shape(layOut(course, 60_000)), 'delay1 queue1');
  assert.equal(shape(layOut({ ...course, attempts: [run(1, 10, 20)] }, 60_000)), 'queue1 run1 backoff2 queue2');
});

test('segments are in order and without gaps, whatever the clocks say', () => {
  const times = fc.array(fc.tuple(fc.integer({ min: 0, max: 1_000 }), fc.option(fc.integer({ min: 0, max: 1_000 }))), { maxLength: 12 });
  fc.assert(
    fc.property(times, fc.constantFrom('QUEUED', 'RUNNING', 'FAILED'), (given, status) => {
      const attempts = given.map(([from, until], index) => run(index + 1, from, until));
      const segments = layOut({ createdAt: at(5), queuedAt: at(5), status, attempts }, 900_000);
      let [left, from] = [0, 5_000];
      for (const segment of segments) {
        assert.equal(segment.left, left);
        assert.equal(segment.from, from);
        assert.ok(segment.right >= left && segment.until >= from);
        [left, from] = [segment.right, segment.until];
      }
      assert.ok(segments.length === 0 || Math.abs(left - 1) < 1e-9 || left === 0);
    }),
  );
});
