import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rows } from '../json/tree.ts';
import { treeMove } from './json-keys.ts';

const VALUE = { a: { b: 1, c: [] }, d: 'x' };
const SHOWN = rows(VALUE, new Set(['', '/a']));
const at = (pointer: string): number => SHOWN.findIndex((row) => row.pointer === pointer);
const to = (pointer: string, key: string): string | undefined => treeMove(SHOWN, at(pointer), key)?.to?.pointer;

test('arrows go through the rows', () => {
  assert.equal(to('', 'ArrowDown'), '/a');
  assert.equal(to('/d', 'ArrowUp'), '/a/c');
  assert.equal(to('/d', 'ArrowDown'), undefined);
  assert.equal(to('/a', 'End'), '/d');
  assert.equal(to('/d', 'Home'), '');
});

test('right opens, then goes in; left closes, then goes out', () => {
  assert.equal(to('/a', 'ArrowRight'), '/a/b');
  assert.equal(to('/a/b', 'ArrowLeft'), '/a');
  assert.equal(treeMove(SHOWN, at('/a'), 'ArrowLeft')?.toggle?.pointer, '/a');
  const closed = rows(VALUE, new Set(['']));
  assert.equal(treeMove(closed, 1, 'ArrowRight')?.toggle?.pointer, '/a');
});

test('enter opens a container, and follows the link of a value', () => {
  assert.equal(treeMove(SHOWN, at('/a'), 'Enter')?.toggle?.pointer, '/a');
  assert.equal(treeMove(SHOWN, at('/d'), 'Enter')?.follow, true);
  assert.equal(treeMove(SHOWN, at('/a/c'), 'ArrowRight')?.toggle, undefined);
});

test('other keys are not the tree’s', () => {
  assert.equal(treeMove(SHOWN, 0, 'Tab'), null);
});
