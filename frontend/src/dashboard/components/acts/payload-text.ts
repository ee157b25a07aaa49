/** The text of a payload that is edited: whether it can be sent as it is written. */

import { JsonFault, parseExact } from '../../json/parse.ts';
import { isContainer } from '../../json/tree.ts';
import type { ExactValue } from '../../json/value.ts';
import { writeExact } from '../../json/write.ts';

export const REDACTED = '[redacted]';

export type Edited =
  | { kind: 'value'; value: ExactValue }
  | { kind: 'fault'; line: number; column: number }
  | { kind: 'redacted' }
  | { kind: 'rounded' };

/** Read an edited text. `rounded`: this browser would not send every digit. */
export function readPayload(text: string): Edited {
  let value: ExactValue;
  try {
    value = parseExact(text);
  } catch (fault) {
    if (!(fault instanceof JsonFault)) throw fault;
    return { kind: 'fault', ...placeOf(text, fault.position) };
  }
  if (holdsRedacted(value)) return { kind: 'redacted' };
  // A browser without `JSON.rawJSON` writes numbers as doubles.
  const isExact = 'rawJSON' in JSON || writeExact(value) === JSON.stringify(value);
  return isExact ? { kind: 'value', value } : { kind: 'rounded' };
}

/** Whether some part of a value was hidden from the viewer. */
export function holdsRedacted(value: ExactValue): boolean {
  const pending: ExactValue[] = [value];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next === 'string' && isRedacted(next)) return true;
    if (isContainer(next)) for (const child of Object.values(next)) pending.push(child);
  }
  return false;
}

/** Whether a text was hidden, or the password in an address in it. */
export function isRedacted(text: string): boolean {
  return text === REDACTED || text.includes(`://${REDACTED}@`);
}

function placeOf(text: string, position: number): { line: number; column: number } {
  const before = text.slice(0, position).split('\n');
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
}
