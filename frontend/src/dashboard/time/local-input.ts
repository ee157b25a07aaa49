/** The value of a field of the type `datetime-local`, which has a time of a zone without naming it. */

import { instantOf } from './zones.ts';

const VALUE = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2}))?/;

/** The instant, in milliseconds, at which the clocks of the zone show the value; null if it is none. */
export function instantOfInput(value: string, zone: string): number | null {
  const parts = VALUE.exec(value)?.slice(1).map((part) => Number(part ?? 0));
  if (!parts) return null;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts;
  return instantOf({ year, month, day, hour, minute, second: second || 0 }, zone);
}
