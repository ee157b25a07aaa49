/** Times as fields of the type `datetime-local` have them: without a zone. */

import { instantOf } from './zones.ts';

const FIELD = /^(\d{4,6})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d))?/;

/** The instant that the clocks of a zone show as the value of a field; null: it is empty or incomplete. */
export function instantOfInput(value: string, zone: string): number | null {
  const parts = FIELD.exec(value)?.slice(1).map((part) => Number(part ?? 0));
  if (parts === undefined) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  return instantOf({ year, month, day, hour, minute, second }, zone);
}
