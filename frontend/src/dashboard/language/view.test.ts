import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { searchText } from './arbitrary.ts';
import { isPinnedText, pinText } from './pin.ts';
import { compileView, DEFAULT_VIEW, ORDER_FIELDS, pin, readView, writeView, type View } from './view.ts';

const READING = { now: Date.parse('2026-11-26T14:00:00Z'), timeZone: 'America/New_York' };
const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);
const moment = fc.constantFrom('-24h', 'now', 'today', '2026-11-26', '2026-11-26T10:00:00Z', '+1h');
const unknown = fc.tuple(fc.oneof(fc.string(), fc.constantFrom('', 'page', '__proto__', 'toString')), fc.string());
const NO_PROTOTYPE = { noNullPrototype: true };
const view: fc.Arbitrary<View> = fc.record({
  q: fc.oneof(searchText, fc.string({ unit: 'grapheme' })),
  from: fc.option(moment),
  until: fc.option(moment),
  order: fc.record({ field: fc.constantFrom(...ORDER_FIELDS), direction: fc.constantFrom('ASC' as const, 'DESC' as const) }, NO_PROTOTYPE),
  columns: fc.option(fc.array(name, { minLength: 1, maxLength: 4 })),
  at: fc.option(fc.uuid()),
  tab: fc.option(name),
  unknown: fc.array(unknown.filter(([key]) => !['q', 'from', 'until', 'order', 'cols', 'at', 'tab'].includes(key)), { maxLength: 3 }),
}, NO_PROTOTYPE);

test('a view is the same after it was a URL', () => {
  fc.assert(
    fc.property(view, (each) => {
      assert.deepEqual(readView(writeView(each)), each);
    }),
    { numRuns: 2_000 },
  );
});

test('any URL is read, and stays the same view', () => {
  const value = fc.oneof(fc.string(), fc.constantFrom('', '-created', 'created', 'a,b', '-24h', 'x'));
  const parameter = fc.tuple(fc.constantFrom('q', 'from', 'order', 'cols', 'at', 'tab', 'other'), value);
  fc.assert(
    fc.property(fc.array(parameter, { maxLength: 6 }), (parameters) => {
      const read = readView(new URLSearchParams(parameters).toString());
      assert.deepEqual(readView(writeView(read)), read);
    }),
    { numRuns: 2_000 },
  );
});

test('the usual view needs no parameters', () => {
  assert.equal(writeView(DEFAULT_VIEW), '');
  assert.deepEqual(readView(''), DEFAULT_VIEW);
  assert.equal(writeView({ ...DEFAULT_VIEW, q: 'status:failed', order: { field: 'FINISHED_AT', direction: 'ASC' } }), '?q=status%3Afailed&order=finished');
});

test('what cannot be read is kept and named', () => {
  const { unknown: named, order } = readView('?order=size&page=2&from=soon&q=a&q=b');
  assert.deepEqual(named, [['order', 'size'], ['page', '2'], ['from', 'soon'], ['q', 'b']]);
  assert.deepEqual(order, DEFAULT_VIEW.order);
});

test('relative times stay so until they are pinned', () => {
  const relative = { ...DEFAULT_VIEW, q: 'created:-24h -(finished:today,none) x waiting:>5m', from: '-7d', until: 'today' };
  assert.deepEqual(pin(relative, READING), {
    ...relative,
    q: 'created:>=2026-11-25T14:00:00.000Z -(finished:2026-11-26T05:00:00.000Z..2026-11-27T05:00:00.000Z,none) x waiting:>5m',
    from: '2026-11-19T14:00:00.000Z',
    until: '2026-11-26T05:00:00.000Z',
  });
});

test('a pinned text means now what it meant', () => {
  fc.assert(
    fc.property(view, (each) => {
      const pinned = pin(each, READING);
      assert.ok(isPinnedText(pinned.q));
      assert.equal(pinText(pinned.q, { now: 0, timeZone: 'UTC' }), pinned.q);
      assert.deepEqual(compileView(pinned, { now: 0, timeZone: 'UTC' }).filter, compileView(each, READING).filter);
    }),
    { numRuns: 1_000 },
  );
});

test('the range of a view is a condition more', () => {
  const { filter } = compileView({ ...DEFAULT_VIEW, q: 'a OR b', from: '-1h', until: 'now' }, READING);
  assert.deepEqual(filter, {
    createdAt: { gte: '2026-11-26T13:00:00.000Z', lt: '2026-11-26T14:00:00.000Z' },
    or: [{ search: 'a' }, { search: 'b' }],
  });
});
