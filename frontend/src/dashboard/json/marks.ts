/** Numbers as texts with a mark, so that the browser's own parser keeps every digit of them. */

import { numberOf } from './value.ts';

// All that can stay: what is no number, and whole numbers of 15 digits. A text that begins with
// NUL would be taken for a mark. V8 (seen in 13.6) takes some names with escapes for other names.
const PLAIN =
  /(?:[^"0-9-]+|"(?!\\u0000)[^"\\]*(?:"|(?:\\.[^"\\]*)+"(?!\s*:))|-?[1-9][0-9]{0,14}(?![0-9.eE])|0(?![0-9.eE]))*/y;
const MARK = '\0';
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![0-9.eE+-])/y;

/** JSON with marks in place of numbers that a double may not hold; null if it cannot be marked. */
export function markNumbers(text: string): string | null {
  const parts: string[] = [];
  let end = 0;
  for (;;) {
    const start = endOf(PLAIN, text, end) ?? end;
    parts.push(text.slice(end, start));
    if (start === text.length) return parts.join('');
    const next = endOf(NUMBER, text, start);
    if (next === null) return null;
    parts.push(`"\\u0000${text.slice(start, next)}"`);
    end = next;
  }
}

/** Put numbers back, in members with these names with every digit. Changes the value. */
export function unmarkNumbers(value: unknown, exactAt: ReadonlySet<string>): unknown {
  const root = { value };
  const exact: Container[] = [];
  unmark([root], (name) => exactAt.has(name), exact);
  unmark(exact, () => true, exact);
  return root.value;
}

type Container = Record<string, unknown>;

function unmark(pending: Container[], isExact: (name: string) => boolean, exact: Container[]): void {
  for (let container = pending.pop(); container !== undefined; container = pending.pop()) {
    for (const name in container) {
      const member = container[name];
      if (typeof member === 'string') {
        if (member.startsWith(MARK)) container[name] = (isExact(name) ? numberOf : Number)(member.slice(1));
      } else if (typeof member === 'object' && member !== null) {
        (isExact(name) ? exact : pending).push(member as Container);
      }
    }
  }
}

function endOf(pattern: RegExp, text: string, start: number): number | null {
  pattern.lastIndex = start;
  return pattern.test(text) ? pattern.lastIndex : null;
}
