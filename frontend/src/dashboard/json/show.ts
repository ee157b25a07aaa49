/** How a value is shown on one line: with its escapes, and not longer than a line can be. */

import { isArray, isObject, type ExactValue } from './value.ts';

/** Longer texts are cut in a line. */
export const LONGEST = 300;

/** What is not seen, or turns the direction of what follows: controls, joiners, marks, separators. */
const UNSEEN = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** Write a value for a line of a tree; containers as `{3}` and `[12]`. */
export function lineText(value: ExactValue): string {
  if (isArray(value)) return value.length === 0 ? '[]' : `[${value.length}]`;
  if (isObject(value)) {
    const size = Object.keys(value).length;
    return size === 0 ? '{}' : `{${size}}`;
  }
  if (typeof value === 'string') return JSON.stringify(seen(shortened(value)));
  return shortened(String(value));
}

/** Write a name for a line of a tree. */
export function nameText(name: string | number): string {
  return typeof name === 'number' ? String(name) : seen(shortened(name));
}

function shortened(text: string): string {
  if (text.length <= LONGEST) return text;
  // Not between the two halves of a character.
  const end = /[\ud800-\udbff]$/.test(text.slice(0, LONGEST)) ? LONGEST - 1 : LONGEST;
  return `${text.slice(0, end)}…`;
}

/** Write what cannot be seen as its code: `⟨200B⟩`. */
function seen(text: string): string {
  return text.replace(UNSEEN, (sign) => `⟨${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`);
}
