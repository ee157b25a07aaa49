/** Arbitrary filters and texts, for property tests. */

import fc from 'fast-check';
import { parseExact } from '../json/parse.ts';
import type { ExactValue } from '../json/value.ts';
import { STATUSES, VERDICTS, type JobFilter } from './job-filter.ts';

export const ODD_TEXTS = ['', 'none', 'a', 'b', 'a*', '*', '-a', 'a,b', 'a b', '"', '\\', '\\n', 'a\nb', '(a)', 'OR', 'NOT', 'AND', 'a:b', '~a', '=a', '>1', 'a..b', 'true', '1', '-1.50', 'é\u200b', '\u202e', 'payload.a=1', '[a', '{}', "it's"];
const text = fc.oneof(fc.constantFrom(...ODD_TEXTS), fc.string({ unit: 'grapheme', maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 6 }));
const list = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(item, { maxLength: 3 });
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { freq: 12 });
const optional = <T extends object>(members: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> =>
  fc.record(members, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;

const strings = optional({
  eq: maybe(text),
  in: maybe(list(text)),
  notIn: maybe(list(text)),
  startsWith: maybe(text),
  contains: maybe(text),
  containsIgnoreCase: maybe(text),
  isNull: maybe(fc.boolean()),
});
const int = fc.oneof(fc.integer({ min: -3, max: 6 }), fc.integer());
const integers = optional({ eq: maybe(int), in: maybe(list(int)), gte: maybe(int), lte: maybe(int) });
const seconds = fc.oneof(
  fc.constantFrom(0, 1, 60, 0.25, 90, 86_400),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }).map((each) => each + 0),
);
const durations = optional({ gte: maybe(seconds), lt: maybe(seconds) });
export const instant = fc.oneof(
  fc.date({ min: new Date('0001-01-02T00:00:00Z'), max: new Date('9999-12-30T00:00:00Z'), noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom('2026-11-26T14:00:00.123456789Z', '2026-11-26t14:00:00z', '2026-11-26 14:00:00+05:45', '2026-02-28T00:00:00-08:00', '2024-02-29T00:00:00Z'),
);
const times = optional({ gte: maybe(instant), lt: maybe(instant), isNull: maybe(fc.boolean()) });
const uuid = fc.oneof(fc.uuid(), fc.constantFrom('01890000-0000-7000-8000-00000000000a', '01890000-0000-7000-8000-00000000000b'));
const number = fc.stringMatching(/^-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,8})?(e[+-]?[0-9]{1,2})?$/).map(parseExact);
const leaf = fc.oneof(text, number, fc.boolean(), fc.constant(null));
const name = fc.oneof(fc.constantFrom('a', 'b', 'c', 'a.b', '[]', '0', '__proto__', 'é', ''), text);
export const json = fc.letrec<{ value: ExactValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 3 }).map((entries) => Object.fromEntries(entries) as ExactValue),
  ),
})).value;

const STRINGS = ['type', 'queue', 'requestedBy', 'idempotencyKey', 'lastErrorCode', 'lastErrorMessage', 'worker', 'batch', 'externalId'] as const;
const TIMES = ['createdAt', 'updatedAt', 'scheduledAt', 'startedAt', 'finishedAt'] as const;
const each = <T>(names: readonly string[], value: fc.Arbitrary<T>): Record<string, fc.Arbitrary<T | null>> =>
  Object.fromEntries(names.map((key) => [key, maybe(value)]));

/** Members of a filter but for those that nest filters. */
export const MEMBERS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  ...each(STRINGS, strings),
  ...each(['priority', 'attempt'], integers),
  ...each(TIMES, times),
  ...each(['waitSeconds', 'runSeconds'], durations),
  ...each(['waitingLongerThan', 'runningLongerThan'], seconds),
  ids: maybe(list(uuid)),
  parentId: maybe(uuid),
  source: maybe(uuid.map((id) => `source:${id}`)),
  errorGroup: maybe(uuid.map((id) => `error-group:${id}`)),
  status: maybe(list(fc.constantFrom(...STATUSES))),
  health: maybe(list(fc.constantFrom(...VERDICTS))),
  tags: maybe(list(text)),
  search: maybe(text),
  payloadContains: json,
};

/** A few members: filters with all of them have seldom something in common. */
const flat = fc
  .uniqueArray(fc.constantFrom(...Object.keys(MEMBERS)), { maxLength: 4 })
  .chain((names) => fc.record(Object.fromEntries(names.map((key) => [key, MEMBERS[key] ?? fc.constant(null)])))) as fc.Arbitrary<JobFilter>;

/** Any filter. */
export const filter = fc.letrec<{ filter: JobFilter }>((tie) => {
  const nested = fc.array(tie('filter'), { maxLength: 3 });
  const groups = fc.record({ and: maybe(nested), or: maybe(nested), not: maybe(tie('filter')) }, { requiredKeys: [] });
  return {
    filter: fc.oneof({ depthSize: 'small', withCrossShrink: true }, flat, fc.tuple(flat, groups).map(([own, others]) => ({ ...own, ...others }))),
  };
}).filter;

const WORDS = ['foo', '"free text"', '-foo', '"', '"a', 'OR', 'AND', 'NOT', '(', ')', '-(', '()', 'x:1', 'http://x', '-', '01890000-0000-7000-8000-00000000000A'];
const VALUES = ['failed', 'dead', 'Dead-Letter', 'stuck', 'none', '*', 'a', 'a*', '*a*', '*a', 'a*b', '~a', '=a', '"a b"', '"none"', '', '3', '>2', '>=-2', '<5', '<=5', '1..5', '..5', '99999999999', '5m', '>5m', '-24h', '+1h', 'now', 'today', 'yesterday..now', '-7d..-1d', '2026-11-26', '2026-11-01..2026-11-26', '2026-02-30', '>=2026-11-26T10:00:00Z', '<2026-11-26T10:00', '01890000-0000-7000-8000-00000000000a', '250ms..1.5s', '{"a":1}', '{"a":{"b":1},"c":[]}', '{"c":"failed"}', '{}', '[1]', '[{"a":1,"c":2}]', '[[],1]', '[1,', 'true', '12345678901234567890'];
const KEY_WORDS = ['status:', 'health:', 'type:', 'by:', 'message:', 'tag:', 'id:', 'parent:', 'errorgroup:', 'source:', 'attempt:', 'priority:', 'waiting:', 'run:', 'took:', 'created:', 'scheduled:', 'payload.a=', 'payload.a.b:', 'payload[].c=', 'payload=', 'payload.a[0]=', 'payload."a b"='];
const term = fc
  .tuple(fc.constantFrom('', '', '-'), fc.constantFrom(...KEY_WORDS), fc.array(fc.constantFrom(...VALUES), { minLength: 1, maxLength: 2 }))
  .map(([sign, key, values]) => `${sign}${key}${values.join(',')}`);

/** Texts as people write them, right and wrong. */
export const searchText = fc
  .array(fc.oneof({ arbitrary: term, weight: 3 }, { arbitrary: fc.constantFrom(...WORDS), weight: 1 }), { maxLength: 6 })
  .map((words) => words.join(' '));
