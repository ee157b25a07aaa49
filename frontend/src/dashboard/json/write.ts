/** JSON text of exact values, whose depth is not bounded by the stack. */

import { ExactNumber, isArray, isObject, type ExactValue } from './value.ts';

interface Frame {
  /** The members of an object; null for an array. */
  keys: string[] | null;
  values: readonly ExactValue[];
  next: number;
}

/** Write a value as JSON with every digit; `indent`: the number of spaces of a level, 0 for one line. */
export function writeExact(value: ExactValue, indent = 0): string {
  const parts: string[] = [];
  const open: Frame[] = [];
  let current: ExactValue = value;
  for (;;) {
    const frame = frameOf(current);
    if (frame === null) parts.push(scalarText(current));
    else {
      parts.push(frame.keys === null ? '[' : '{');
      open.push(frame);
    }
    const next = advance(open, parts, indent);
    if (next === undefined) return parts.join('');
    current = next;
  }
}

/** The text to copy of a value: a text as it is, anything else as JSON on several lines. */
export function copyText(value: ExactValue): string {
  return typeof value === 'string' ? value : writeExact(value, 2);
}

function advance(open: Frame[], parts: string[], indent: number): ExactValue | undefined {
  for (;;) {
    const frame = open.at(-1);
    if (frame === undefined) return undefined;
    const { keys, values, next } = frame;
    if (next < values.length) {
      parts.push(next === 0 ? '' : ',', lineOf(open.length, indent));
      if (keys !== null) parts.push(JSON.stringify(keys[next]), indent === 0 ? ':' : ': ');
      frame.next += 1;
      return values[next];
    }
    open.pop();
    parts.push(next === 0 ? '' : lineOf(open.length, indent), keys === null ? ']' : '}');
  }
}

function frameOf(value: ExactValue): Frame | null {
  if (isArray(value)) return { keys: null, values: value, next: 0 };
  if (!isObject(value)) return null;
  return { keys: Object.keys(value), values: Object.values(value), next: 0 };
}

function scalarText(value: ExactValue): string {
  return value instanceof ExactNumber ? value.text : JSON.stringify(value);
}

function lineOf(depth: number, indent: number): string {
  return indent === 0 ? '' : `\n${' '.repeat(depth * indent)}`;
}
