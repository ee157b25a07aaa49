/** Terms made by the page itself: of facets, links, and ranges that were chosen. */

import { keyNamed } from './keys.ts';
import { timesOf } from './times.ts';
import type { Moment, Term } from './terms.ts';
import { writeTerm } from './write-terms.ts';

export { payloadTerm } from './payload.ts';

/** A key whose value is a text: a name, a status, or an id as the API writes it. */
export type ValueKey =
  | 'status'
  | 'health'
  | 'type'
  | 'queue'
  | 'by'
  | 'error'
  | 'message'
  | 'errorgroup'
  | 'worker'
  | 'batch'
  | 'tag'
  | 'source'
  | 'external'
  | 'key'
  | 'id'
  | 'parent';

export type TimeKey = 'created' | 'updated' | 'scheduled' | 'started' | 'finished';

/** The condition that a field has a value, as the API writes it; null: that it has none. */
export function valueTerm(key: ValueKey, value: string | null): Term {
  const spec = specOf(key);
  return { kind: 'term', spec, values: [value === null ? { kind: 'null' } : { kind: 'text', operator: 'eq', text: value }] };
}

/** The condition that a time is in a range, of which the end is not a part; in milliseconds since 1970. */
export function timeTerm(key: TimeKey, from: number | null, until: number | null): Term {
  return { kind: 'term', spec: specOf(key), values: [timesOf(momentOf(from), momentOf(until))] };
}

/** The condition that a time is in the last seconds. */
export function sinceTerm(key: TimeKey, seconds: number): Term {
  return { kind: 'term', spec: specOf(key), values: [timesOf({ kind: 'relative', seconds: -seconds })] };
}

/** A search text of several conditions, for a link. */
export function searchOf(...terms: readonly Term[]): string {
  return terms.map((term) => writeTerm(term)).join(' ');
}

function momentOf(instant: number | null): Moment | undefined {
  return instant === null ? undefined : { kind: 'instant', text: new Date(instant).toISOString() };
}

function specOf(key: ValueKey | TimeKey): Exclude<Term['spec'], string> {
  const spec = keyNamed(key);
  if (spec === undefined) throw new TypeError(key);
  return spec;
}

