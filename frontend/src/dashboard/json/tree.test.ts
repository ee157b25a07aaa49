import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { find } from './find.ts';
import { jsonPath } from './path.ts';
import { openAtFirst, opened, parentOf, pathOf, rows, toggled, valueAt, type Row } from './tree.ts';
import { ExactNumber, type ExactValue } from './value.ts';

const ORDER: ExactValue = {
  customer: { id: 'cus_1042', name: 'Ada' },
  items: [{ sku: 'a/b', price: new ExactNumber('9007199254740993') }, 'gift'],
  'odd ~/name': null,
};
const shown = (each: Row[]): string[] => each.map((row) => `${'  '.repeat(row.depth)}${row.key ?? ''}:${row.kind}:${row.size}`);

test('only opened parts have rows', () => {
  assert.deepEqual(shown(rows(ORDER, new Set())), [':object:3']);
  assert.deepEqual(shown(rows(ORDER, new Set(['', '/items']))), [
    ':object:3',
    '  customer:object:2',
    '  items:array:2',
    '    0:object:2',
    '    1:string:4',
    '  odd ~/name:null:0',
  ]);
});

test('a part that is open in a closed one has no rows', () => {
  assert.equal(rows(ORDER, new Set(['/items'])).length, 1);
});

test('closed parts are not read', () => {
  const trap = new Proxy({}, { ownKeys: () => ['a'], getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true }), get: () => assert.fail('was read') });
  const row = rows({ closed: trap as ExactValue }, new Set(['']))[1];
  assert.equal(row?.size, 1);
});

test('a row knows its place among its siblings', () => {
  const row = rows(ORDER, new Set(['', '/items'])).find((each) => each.pointer === '/items/1');
  assert.deepEqual([row?.position, row?.siblings, row?.value], [2, 2, 'gift']);
});

test('each row has the value at its pointer', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (json) => {
      const value = json as ExactValue;
      const everything = new Set<string>(['']);
      for (;;) {
        const visible = rows(value, everything);
        const closed = visible.filter((row) => !row.isOpen && (row.kind === 'object' || row.kind === 'array') && row.size > 0);
        for (const row of visible) assert.deepEqual(valueAt(value, row.pointer), row.value);
        for (const row of visible) assert.deepEqual(pathOf(value, row.pointer).at(-1) ?? null, row.key);
        if (closed.length === 0) break;
        for (const row of closed) everything.add(row.pointer);
      }
    }),
  );
});

test('depth is not bounded by the stack', () => {
  let value: ExactValue = 'end';
  const open = new Set<string>();
  for (let depth = 0, pointer = ''; depth < 2_000; depth += 1, pointer += '/0') open.add(pointer);
  for (let depth = 0; depth < 100_000; depth += 1) value = [value];
  assert.equal(rows(value, open).length, 2_001);
  assert.equal(parentOf(find(value, 'end').pointers[0] ?? '')?.length, 2 * 99_999);
});

test('a place that is not there has no value', () => {
  assert.equal(valueAt(ORDER, '/items/7'), undefined);
  assert.equal(valueAt(ORDER, '/constructor'), undefined);
  assert.equal(valueAt(ORDER, '/odd ~0~1name'), null);
});

test('what leads to a part is opened with it', () => {
  assert.deepEqual([...opened(new Set(), '/items/0')].sort(), ['', '/items', '/items/0']);
  assert.deepEqual([...toggled(new Set(['', '/a']), '/a')], ['']);
  assert.deepEqual([...toggled(new Set(['']), '/a')], ['', '/a']);
});

test('at first as much is open as fits', () => {
  assert.deepEqual([...openAtFirst(ORDER, 8)], ['', '/customer', '/items']);
  assert.deepEqual([...openAtFirst(ORDER, 5)], ['']);
  assert.deepEqual([...openAtFirst(Array.from({ length: 100_000 }, () => 1))], []);
});

test('names and values are found in the order of rows', () => {
  assert.deepEqual(find(ORDER, 'A').pointers, ['/customer/name', '/items/0/sku', '/odd ~0~1name']);
  assert.deepEqual(find(ORDER, '740993').pointers, ['/items/0/price']);
  assert.deepEqual(find(ORDER, 'null').pointers, ['/odd ~0~1name']);
  assert.deepEqual(find(ORDER, '').pointers, []);
});

test('the search ends at its limits', () => {
  const many = Array.from({ length: 50 }, () => 'x');
  assert.deepEqual(find(many, 'x', { matches: 2 }), { pointers: ['/0', '/1'], isComplete: false });
  assert.deepEqual(find(many, 'x', { nodes: 3 }), { pointers: ['/0', '/1'], isComplete: false });
  assert.equal(find(many, 'x', { matches: 51 }).isComplete, true);
});

test('paths are those of JSONPath', () => {
  assert.equal(jsonPath(pathOf(ORDER, '/items/0/sku')), '$.items[0].sku');
  assert.equal(jsonPath(pathOf(ORDER, '/odd ~0~1name')), "$['odd ~/name']");
  assert.equal(jsonPath(["it's \"so\"\n"]), "$['it\\'s \"so\"\\n']");
  assert.equal(jsonPath([]), '$');
});
