/** Pins a text: relative times become what they are now, so that it shows the same later and elsewhere. */

import { parse, type LocatedTerm } from './parse.ts';
import { pinTimes, readTimes, timeText, writeTimes, type Reading } from './times.ts';
import type { Times } from './terms.ts';

/** The text with instants instead of relative times, days and times without a zone. */
export function pinText(text: string, reading: Reading): string {
  const values = parse(text).terms.flatMap((term: LocatedTerm) => term.values);
  let pinned = text;
  for (const { value, start, end } of values.reverse()) {
    if (value.kind !== 'times' || isPinned(value)) continue;
    pinned = pinned.slice(0, start) + writeTimes(pinTimes(value, reading)) + pinned.slice(end);
  }
  return pinned;
}

/** Whether a text shows the same at any time and in any zone, but for how long jobs wait and run. */
export function isPinnedText(text: string): boolean {
  const values = parse(text).terms.flatMap((term) => term.values.map(({ value }) => value));
  return values.every((value) => value.kind !== 'times' || isPinned(value));
}

/** The same for a time alone, such as `-24h`; what is no time stays as it is. */
export function pinMoment(text: string, reading: Reading): string {
  const value = readTimes('>=', text);
  return value?.kind === 'times' && value.from !== undefined ? timeText(value.from, reading) : text;
}

function isPinned({ from, until }: Times): boolean {
  return [from, until].every((moment) => moment === undefined || moment.kind === 'instant');
}
