import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JsonFault, parseAnswer, parseExact, parseExactAt } from './parse.ts';
import { ExactNumber, type ExactValue } from './value.ts';
import { copyText, writeExact } from './write.ts';

const EXACT = new Set(['payload', 'detail']);
const HUGE = '123456789012345678901234567890.123456789012345678901';

test('JSON is parsed as the browser does', () => {
  fc.assert(
    // Not what `JSON.parse` makes of it: V8 makes some escaped names others.
    fc.property(fc.jsonValue({ maxDepth: 6 }).map(withoutNegativeZero), (value) => {
      assert.deepEqual(plain(parseExact(JSON.stringify(value, null, 2))), value);
      assert.deepEqual(parseAnswer(`{"payload":1,"a":${JSON.stringify(value)}}`, EXACT), { payload: 1, a: value });
    }),
    { numRuns: 1_000 },
  );
});

/** JSON writes it as 0. */
function withoutNegativeZero(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNegativeZero);
  if (typeof value !== 'object' || value === null) return value === 0 ? 0 : value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutNegativeZero(each)]));
}

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

test('an exact member is as if parsed alone, whatever it has', () => {
  const number = fc.stringMatching(/^-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?(e[+-]?[0-9]{1,3})?$/);
  const word = fc.string({ unit: fc.constantFrom('\0', '"', '\\', '1', '-', ':', ' ', 'é') }).map((text) => JSON.stringify(text));
  const { value } = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, number, word, fc.array(tie('value')).map((each) => `[${each}]`), members(word, tie('value'))),
  }));
  fc.assert(
    fc.property(value, fc.oneof(number, word), (exact, other) => {
      const found = parseAnswer(`{"a" : ${other},"payload": ${exact} ,"b":1.0}`, EXACT);
      assert.deepEqual(found, { a: JSON.parse(other), payload: parseExact(exact), b: 1 });
    }),
    { numRuns: 2_000 },
  );
});

function members(name: fc.Arbitrary<string>, value: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const unique = fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key });
  return unique.map((all) => `{${all.map(([key, each]) => `${key}:${each}`).join(',')}}`);
}

test('an answer that is not JSON is refused', () => {
  for (const faulty of ['01', '1.', '-', '1e', '1.2.3', '"\n"', '"a', '1 2']) {
    assert.throws(() => parseAnswer(`{"payload":${faulty}}`, EXACT), faulty);
  }
});

test('a long text and deep containers in an answer are kept', () => {
  const long = JSON.stringify('a\\"'.repeat(500_000));
  const deep = `${'['.repeat(50_000)}1.0${']'.repeat(50_000)}`;
  const found = parseAnswer(`{"payload":[${long},${deep}]}`, EXACT) as { payload: ExactValue };
  assert.equal(writeExact(found.payload), `[${long},${deep}]`);
});

test('a member named __proto__ is a member', () => {
  const value = parseExact('{"__proto__":{"x":1}}') as object;
  assert.deepEqual(Object.keys(value), ['__proto__']);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.equal(writeExact(parseExact('{"__proto__":{"x":1}}')), '{"__proto__":{"x":1}}');
  const text = '{"payload":{"__proto__":{"__proto__":1.0}}}';
  assert.equal(writeExact(parseAnswer(text, EXACT) as ExactValue), text);
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
