import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { searchText } from './arbitrary.ts';
import { applied, complete, valueOption, type Completion } from './complete.ts';

/** Completes at the `|` of a text. */
function at(marked: string): Completion {
  const caret = marked.indexOf('|');
  return complete(marked.replace('|', ''), caret, { sources: [{ id: 'source:1', name: 'river main' }] });
}
const texts = (marked: string): string[] => at(marked).options.map(({ text }) => text);

test('keys begin with what is written', () => {
  assert.deepEqual(texts('s|'), ['status:', 'source:', 'scheduled:', 'started:']);
  assert.deepEqual(texts('a -TY|'), ['type:']);
  assert.deepEqual(texts('(pay|'), ['payload.']);
  assert.deepEqual(texts('took|'), ['run:']);
  assert.ok(texts('|').length > 20);
  assert.deepEqual(texts('"sta|'), []);
});

test('statuses and verdicts that are not listed yet are offered', () => {
  assert.deepEqual(texts('status:|'), ['queued', 'running', 'succeeded', 'failed', 'canceled', 'dead']);
  assert.deepEqual(texts('status:failed,d|'), ['dead']);
  assert.deepEqual(texts('health:s|'), ['stuck', 'slow']);
});

test('the API is asked for names', () => {
  assert.deepEqual(at('type:em|').suggest, { field: 'TYPE', prefix: 'em' });
  assert.deepEqual(at('by:a,"b c|').suggest, { field: 'REQUESTED_BY', prefix: 'b c' });
  assert.deepEqual(at('error:~|').suggest, { field: 'LAST_ERROR_CODE', prefix: '' });
  assert.equal(at('type:*a|').suggest, null);
  assert.equal(at('status:|').suggest, null);
  assert.deepEqual(texts('by:no|'), ['none']);
  assert.deepEqual(texts('source:riv|'), ['"river main"']);
});

test('times and amounts have examples', () => {
  assert.deepEqual(texts('created:-2|'), ['-24h']);
  assert.ok(texts('scheduled:|').includes('none'));
  assert.ok(texts('waiting:|').includes('>5m'));
});

test('an option replaces the word that it completes', () => {
  const text = 'a status:fa,dead b';
  const completion = complete(text, 'a status:fa'.length);
  assert.deepEqual(applied(text, completion, { kind: 'value', text: 'failed' }), { text: 'a status:failed,dead b', caret: 15 });
  assert.deepEqual(applied('sta', complete('sta', 3), { kind: 'key', text: 'status:' }), { text: 'status:', caret: 7 });
  assert.deepEqual(applied('type:em', complete('type:em', 7), valueOption('email send')), { text: 'type:"email send" ', caret: 18 });
});

test('a name that has another meaning is quoted', () => {
  assert.equal(valueOption('none').text, '"none"');
  assert.equal(valueOption('a.b-c').text, 'a.b-c');
});

test('the word is around the caret, wherever it is', () => {
  fc.assert(
    fc.property(searchText, fc.nat(80), (text, place) => {
      const caret = Math.min(place, text.length);
      const { from, to } = complete(text, caret);
      assert.ok(0 <= from && from <= caret && caret <= to && to <= text.length);
    }),
    { numRuns: 1_000 },
  );
});
