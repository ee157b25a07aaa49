import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JsonFault, parseAnswer, parseExact, parseExactAt } from './parse.ts';
import { ExactNumber } from './value.ts';
import { copyText, writeExact } from './write.ts';

const EXACT = new Set(['payload', 'detail']);
const HUGE = '123456789012345678901234567890.123456789012345678901';

test('JSON is parsed as the browser does', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (text) => {
      // Negative zero is kept as its text: it is written in another way than its double.
      fc.pre(!text.includes('-0'));
      const spaced = JSON.stringify(JSON.parse(text), null, 2);
      assert.deepEqual(plain(parseExact(spaced)), JSON.parse(text));
      assert.deepEqual(parseAnswer(`{"payload":1,"a":${text}}`, EXACT), JSON.parse(`{"payload":1,"a":${text}}`));
    }),
    { numRuns: 1_000 },
  );
});

test('what is not JSON is refused', () => {
  const faulty = ['', '{', '[1', '[1,]', '{"a"}', '{"a":1,}', '01', '1.', '.5', '+1', 'nul', '"a', '"\n"', '"\\x"', '1 2', '[]]', "{'a':1}", 'NaN'];
  for (const text of faulty) {
    assert.throws(() => JSON.parse(text), text);
    assert.throws(() => parseExact(text), JsonFault, text);
  }
});

test('a fault says where it is', () => {
  assert.throws(() => parseExact('[1, x]'), { position: 4 });
});

test('any number keeps its text', () => {
  const digits = fc.stringMatching(/^-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?(e[+-]?[0-9]{1,3})?$/);
  fc.assert(
    fc.property(digits, (text) => {
      assert.equal(writeExact(parseExact(text)), text);
    }),
    { numRuns: 2_000 },
  );
});

test('numbers stay plain where a double is written alike', () => {
  assert.deepEqual(parseExact('[1,-2.5,9007199254740991]'), [1, -2.5, 9007199254740991]);
  assert.deepEqual(parseExact('[1.0,9007199254740993]'), [new ExactNumber('1.0'), new ExactNumber('9007199254740993')]);
});

test('an answer is exact under some names alone, at any depth', () => {
  const text = `{"data":{"count":1.0,"nodes":[{"payload":{"a":[${HUGE}]},"n":1.50}]}}`;
  const payload = { a: [new ExactNumber(HUGE)] };
  assert.deepEqual(parseAnswer(text, EXACT), { data: { count: 1, nodes: [{ payload, n: 1.5 }] } });
});

test('what follows an exact member is not exact', () => {
  assert.deepEqual(parseAnswer('[{"payload":{"a":[1.0]}},1.50]', EXACT), [{ payload: { a: [new ExactNumber('1.0')] } }, 1.5]);
});

test('an answer without such a name is parsed as it is', () => {
  assert.deepEqual(parseAnswer('{"a":1.0}', EXACT), { a: 1 });
});

test('a member named __proto__ is a member', () => {
  const value = parseExact('{"__proto__":{"x":1}}') as object;
  assert.deepEqual(Object.keys(value), ['__proto__']);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.equal(writeExact(parseExact('{"__proto__":{"x":1}}')), '{"__proto__":{"x":1}}');
});

test('depth is not bounded by the stack', () => {
  const depth = 100_000;
  const text = `${'['.repeat(depth)}${'{"a":'.repeat(depth)}1.0${'}'.repeat(depth)}${']'.repeat(depth)}`;
  assert.equal(writeExact(parseExact(text)), text);
});

test('a value inside a text ends where it ends', () => {
  assert.deepEqual(parseExactAt('x={"a":[1]} y', 2), { value: { a: [1] }, end: 11 });
});

test('text on several lines is that of JSON.stringify', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const clean = JSON.parse(JSON.stringify(value)) as never;
      assert.equal(writeExact(clean, 2), JSON.stringify(clean, null, 2));
    }),
  );
});

test('a text is copied as it is', () => {
  assert.equal(copyText('a"b'), 'a"b');
  assert.equal(copyText([new ExactNumber('1.0')]), '[\n  1.0\n]');
});

test('JSON.stringify writes every digit where it can', () => {
  assert.equal(JSON.stringify({ a: new ExactNumber(HUGE) }), `{"a":${HUGE}}`);
});

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
