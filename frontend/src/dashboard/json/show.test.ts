import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineText, LONGEST, nameText } from './show.ts';
import { ExactNumber, type ExactValue } from './value.ts';

test('a line has every digit', () => {
  assert.equal(lineText(new ExactNumber('9223372036854775808')), '9223372036854775808');
  assert.equal(lineText(1.5), '1.5');
  assert.equal(lineText(null), 'null');
});

test('containers have their size', () => {
  const values: ExactValue[] = [[], {}, [1, 2], { a: 1 }];
  assert.deepEqual(values.map(lineText), ['[]', '{}', '[2]', '{1}']);
});

test('what cannot be seen is written', () => {
  assert.equal(lineText('a\u202eb\u200b\n'), '"a⟨202E⟩b⟨200B⟩\\n"');
  assert.equal(nameText('\ufeffid'), '⟨FEFF⟩id');
});

test('a long text is cut between characters', () => {
  const text = `${'x'.repeat(LONGEST - 1)}😀${'y'.repeat(LONGEST)}`;
  assert.equal(lineText(text), `"${'x'.repeat(LONGEST - 1)}…"`);
});
