/** The visible rows of a JSON tree, of which only opened parts are read. */

import { isArray, isObject, kindOf, type ExactObject, type ExactValue, type JsonKind } from './value.ts';

/** A node's place: a JSON Pointer (RFC 6901); the whole value's is empty. */
export type Pointer = string;

export interface Row {
  pointer: Pointer;
  /** 0 for the whole value. */
  depth: number;
  /** The name of a member, the index of an item, or null for the whole value. */
  key: string | number | null;
  kind: JsonKind;
  value: ExactValue;
  /** The number of members or items; the number of characters of a text; else 0. */
  size: number;
  isOpen: boolean;
  /** Its place among its siblings, from 1, and their number: for assistive technology. */
  position: number;
  siblings: number;
}

interface Level {
  keys: readonly string[] | null;
  container: ExactValue;
  pointer: Pointer;
  next: number;
  size: number;
}

/** The rows that are visible if the containers at these pointers are open, in order. */
export function rows(value: ExactValue, open: ReadonlySet<Pointer>): Row[] {
  const result: Row[] = [];
  const levels: Level[] = [];
  let row: Row | null = rowOf(value, '', null, 0, open, 1, 1);
  while (row !== null) {
    result.push(row);
    if (row.isOpen) levels.push(levelOf(row.value, row.pointer, row.size));
    row = nextRow(levels, open);
  }
  return result;
}

function nextRow(levels: Level[], open: ReadonlySet<Pointer>): Row | null {
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    if (level.next < level.size) return rowIn(level, levels.length, open);
    levels.pop();
  }
  return null;
}

function rowIn(level: Level, depth: number, open: ReadonlySet<Pointer>): Row {
  const key = level.keys === null ? level.next : (level.keys[level.next] ?? '');
  level.next += 1;
  const child = childOf(level.container, key) ?? null;
  return rowOf(child, pointerTo(level.pointer, key), key, depth, open, level.next, level.size);
}

function rowOf(
  value: ExactValue,
  pointer: Pointer,
  key: string | number | null,
  depth: number,
  open: ReadonlySet<Pointer>,
  position: number,
  siblings: number,
): Row {
  const size = sizeOf(value);
  const isOpen = size > 0 && isContainer(value) && open.has(pointer);
  return { pointer, depth, key, kind: kindOf(value), value, size, isOpen, position, siblings };
}

function levelOf(container: ExactValue, pointer: Pointer, size: number): Level {
  return { keys: isObject(container) ? Object.keys(container) : null, container, pointer, next: 0, size };
}

/** Whether a value is an object or an array. */
export function isContainer(value: ExactValue): value is ExactObject | readonly ExactValue[] {
  return isArray(value) || isObject(value);
}

function sizeOf(value: ExactValue): number {
  if (isArray(value) || typeof value === 'string') return value.length;
  return isObject(value) ? Object.keys(value).length : 0;
}

/** The pointer of a member or an item of a container. */
export function pointerTo(container: Pointer, key: string | number): Pointer {
  return `${container}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** The pointer of the container of a node; null for the whole value. */
export function parentOf(pointer: Pointer): Pointer | null {
  const slash = pointer.lastIndexOf('/');
  return slash < 0 ? null : pointer.slice(0, slash);
}

/** The node at a pointer; undefined if there is none. */
export function valueAt(value: ExactValue, pointer: Pointer): ExactValue | undefined {
  let node: ExactValue | undefined = value;
  for (const key of segments(pointer)) node = node === undefined ? node : childOf(node, key);
  return node;
}

/** The names and indexes that lead to a node: a name is a text, an index a number. */
export function pathOf(value: ExactValue, pointer: Pointer): (string | number)[] {
  const path: (string | number)[] = [];
  let node: ExactValue | undefined = value;
  for (const key of segments(pointer)) {
    path.push(node !== undefined && isArray(node) ? Number(key) : key);
    node = node === undefined ? node : childOf(node, key);
  }
  return path;
}

function segments(pointer: Pointer): string[] {
  const keys = pointer.split('/').slice(1);
  return keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function childOf(container: ExactValue, key: string | number): ExactValue | undefined {
  if (isArray(container)) return container[Number(key)];
  return isObject(container) && Object.hasOwn(container, key) ? container[key] : undefined;
}

/** The open containers after one more is opened, with those that it is in. */
export function opened(open: ReadonlySet<Pointer>, pointer: Pointer): Set<Pointer> {
  const result = new Set(open);
  for (let each: Pointer | null = pointer; each !== null; each = parentOf(each)) result.add(each);
  return result;
}

/** The open containers after one is opened or closed. What was open in it stays so. */
export function toggled(open: ReadonlySet<Pointer>, pointer: Pointer): Set<Pointer> {
  const result = new Set(open);
  if (!result.delete(pointer)) result.add(pointer);
  return result;
}

/** The containers to open at first: the outermost ones, until about so many rows are visible. */
export function openAtFirst(value: ExactValue, mostRows = 40): Set<Pointer> {
  const open = new Set<Pointer>();
  let level: [Pointer, ExactValue][] = [['', value]];
  for (let count = 1; level.length > 0; ) {
    const next: [Pointer, ExactValue][] = [];
    for (const [pointer, node] of level) {
      const size = isContainer(node) ? sizeOf(node) : 0;
      if (size === 0 || count + size > mostRows) continue;
      open.add(pointer);
      count += size;
      for (const [key, child] of Object.entries(node ?? {})) next.push([pointerTo(pointer, key), child as ExactValue]);
    }
    level = next;
  }
  return open;
}
