import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
fc.configureGlobal({ numRuns: 20_000 });
import { searchText } from './arbitrary.ts';
import { chips, hasTerm, toggled, valuesOf, withOnly, withoutChip, withoutKey, withoutTerm, withTerm } from './chips.ts';
import { compile } from './compile.ts';
import { payloadTerm, searchOf, sinceTerm, timeTerm, valueTerm } from './make.ts';
import { parse } from './parse.ts';
import type { Term } from './terms.ts';

const READING = { now: Date.parse('2026-11-26T14:00:00Z'), timeZone: 'UTC' };
const FAILED = valueTerm('status', 'FAILED');
const shown = (text: string): string[] => chips(parse(text)).map((chip) => `${chip.kind} ${chip.key ?? ''}${chip.isNegated ? '!' : ''} ${chip.text}`);

test('each condition has a chip', () => {
  assert.deepEqual(shown('status:failed -type:x,y "free text" (a OR b) payload.a=1 foo:1 )'), [
    'term status status:failed',
    'term type! -type:x,y',
    'text  "free text"',
    'group  (a OR b)',
    'term payload payload.a=1',
    'fault  foo:1',
    'fault  )',
  ]);
  assert.deepEqual(shown('status:failed OR  type:x '), ['group  status:failed OR  type:x']);
  assert.deepEqual(shown(''), []);
});

test('a chip can be removed', () => {
  const text = '  status:failed AND  type:"a b"   -queue:x ';
  const [first, second] = chips(parse(text));
  assert.equal(withoutChip(text, first ?? { start: 0, end: 0 }), 'type:"a b" -queue:x');
  assert.equal(withoutChip(text, second ?? { start: 0, end: 0 }), 'status:failed -queue:x');
});

test('what is left keeps its meaning', () => {
  fc.assert(
    fc.property(searchText, fc.nat(8), (text, index) => {
      const all = chips(parse(text));
      const chip = all[index];
      fc.pre(chip !== undefined);
      const rest = withoutChip(text, chip);
      if (compile(text, READING).filter !== null) assert.notEqual(compile(rest, READING).filter, null, rest);
      if (compile(text, READING).filter !== null) assert.equal(chips(parse(rest)).length, all.length - 1);
    }),
    { numRuns: 100 * 1_000 },
  );
});

const TERMS: readonly Term[] = [
  FAILED,
  valueTerm('type', 'a b'),
  valueTerm('by', null),
  valueTerm('tag', 'none'),
  payloadTerm(['items', 3, 'sku'], 'x"y'),
  timeTerm('created', 0, 1_000),
  sinceTerm('finished', 86_400),
];

test('a term is added once, and can be taken away', () => {
  fc.assert(
    fc.property(searchText, fc.constantFrom(...TERMS), (text, term) => {
      fc.pre(compile(text, READING).filter !== null && !hasTerm(text, term));
      const more = withTerm(text, term);
      assert.ok(hasTerm(more, term), more);
      assert.equal(withTerm(more, term), more);
      const wanted = compile(`(${text}) ${searchOf(term)}`, READING);
      assert.deepEqual(compile(more, READING).filter, wanted.filter);
      assert.deepEqual(compile(withoutTerm(more, term), READING).filter, compile(text, READING).filter);
    }),
    { numRuns: 100 * 1_000 },
  );
});

test('a term is added before what is not closed', () => {
  assert.equal(withTerm('type:"a', FAILED), 'status:failed type:"a');
  assert.equal(withTerm('(a', FAILED), 'status:failed (a');
});

test('alternatives stay together when a condition is added', () => {
  assert.equal(withTerm('a OR b', FAILED), '(a OR b) status:failed');
  assert.equal(withTerm('(a OR b)', FAILED), '(a OR b) status:failed');
  assert.equal(withTerm('(a) OR (b)', FAILED), '((a) OR (b)) status:failed');
});

test('facets are toggled within one term', () => {
  const dead = valueTerm('status', 'DEAD_LETTER');
  assert.equal(toggled('', FAILED), 'status:failed');
  assert.equal(toggled('status:failed x', dead), 'status:failed,dead x');
  assert.equal(toggled('status:failed,dead x', FAILED), 'status:dead x');
  assert.equal(toggled('x status:dead', dead), 'x');
  assert.equal(toggled('-status:failed', FAILED), '-status:failed status:failed');
  assert.deepEqual(valuesOf('status:failed,dead', FAILED).length, 2);
  assert.ok(hasTerm('a status:failed,dead', dead));
  assert.ok(!hasTerm('(status:dead OR a)', dead));
});

test('toggling twice changes nothing', () => {
  fc.assert(
    fc.property(searchText, fc.constantFrom(...TERMS), (text, term) => {
      const before = compile(text, READING).filter;
      fc.pre(before !== null && !hasTerm(text, term));
      const twice = toggled(toggled(text, term), term);
      assert.deepEqual(compile(twice, READING).filter, before, twice);
    }),
    { numRuns: 100 * 1_000 },
  );
});

test('a range takes the place of another', () => {
  assert.equal(withOnly('created:-24h x created:<now', sinceTerm('created', 3_600)), 'x created:-1h');
  assert.equal(withoutKey('created:-24h x -created:-1h', sinceTerm('created', 1)), 'x -created:-1h');
});

test('a search of a value in the payload finds that value', () => {
  assert.equal(searchOf(payloadTerm(['items', 3, 'sku'], 'x')), 'payload.items[].sku=x');
  assert.equal(searchOf(FAILED, valueTerm('type', 'a b')), 'status:failed type:"a b"');
});
