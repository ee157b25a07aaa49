import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { arrived, continued, EMPTY, type EventLog, isFull, MOST_ROWS, MOST_WAITING, started, taken } from './event-log.ts';

const entry = (id: number) => ({ cursor: `c${id}`, node: { id: String(id) } });
const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => entry(from + index));
const ids = (entries: readonly { node: { id: string } }[]) => entries.map(({ node }) => node.id);

test('what arrives waits, the newest first, until it is taken', () => {
  const log = arrived(started([entry(2), entry(1)], true), [entry(3), entry(4)]);
  assert.deepEqual(ids(log.rows), ['2', '1']);
  assert.deepEqual(ids(log.waiting), ['4', '3']);
  assert.deepEqual(ids(taken(log).rows), ['4', '3', '2', '1']);
});

test('history is put at the end', () => {
  const log = continued(started([entry(9)], true), [entry(8), entry(7)], false);
  assert.deepEqual(ids(log.rows), ['9', '8', '7']);
  assert.equal(log.hasMore, false);
});

test('more than can wait is an overflow, which taking ends', () => {
  const log = arrived(EMPTY as EventLog<{ id: string }>, range(0, MOST_WAITING + 1));
  assert.equal(log.waiting.length, MOST_WAITING);
  assert.equal(log.hasOverflow, true);
  assert.equal(taken(log).hasOverflow, false);
});

test('the oldest rows give way to new ones, and can be read again', () => {
  const full = started(range(0, MOST_ROWS), false);
  const log = taken(arrived(full, [entry(-1)]));
  assert.equal(log.rows.length, MOST_ROWS);
  assert.equal(log.rows[0]?.node.id, '-1');
  assert.equal(log.hasMore, true);
  assert.ok(isFull(log));
});

test('each event is shown once, whatever arrives in whatever order', () => {
  const step = fc.record({
    kind: fc.constantFrom('arrive', 'continue', 'take'),
    events: fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 12 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      let log: EventLog<{ id: string }> = EMPTY;
      for (const { kind, events } of steps) {
        if (kind === 'arrive') log = arrived(log, events.map(entry));
        else if (kind === 'continue') log = continued(log, events.map(entry), true);
        else log = taken(log);
      }
      const all = ids([...log.waiting, ...log.rows]);
      assert.equal(new Set(all).size, all.length);
    }),
  );
});
