/** Conditions of a `JobFilter`. */

import type { DateTimeFilter, FloatFilter, IntFilter, JobFilter, StringFilter } from './job-filter.ts';
import { KEYS, type KeySpec } from './keys.ts';
import { payloadTerms } from './payload.ts';
import { timesOf } from './times.ts';
import { NOTHING, searchTerm, type Expr, type Moment, type TextOperator, type Value } from './terms.ts';
import { UUID } from './tokens.ts';

type Given<T> = T | null | undefined;

/** The conditions that a filter sets. */
export function fromFilter(filter: JobFilter): Expr {
  const { payloadContains, search, and, or, not } = filter;
  const parts = KEYS.flatMap((spec) => termsOf(filter, spec));
  if (isGiven(payloadContains)) parts.push(...payloadTerms(payloadContains));
  if (isGiven(search)) parts.push(searchTerm(search));
  if (isGiven(or)) parts.push({ kind: 'any', of: or.map(fromFilter) });
  if (isGiven(not)) parts.push({ kind: 'not', of: fromFilter(not) });
  if (isGiven(and)) parts.push(...and.map(fromFilter));
  return { kind: 'all', of: parts };
}

function termsOf(filter: JobFilter, spec: KeySpec): Expr[] {
  switch (spec.kind) {
    case 'text':
      return textTerms(spec, filter[spec.field]);
    case 'integer':
      return integerTerms(spec, filter[spec.field]);
    case 'time':
      return timeTerms(spec, filter[spec.field]);
    case 'seconds':
      return secondsTerms(spec, filter[spec.field]);
    case 'longer':
      return given(filter[spec.field]).map((seconds) => termOf(spec, [{ kind: 'longer', seconds }]));
    case 'id':
      return given(filter[spec.field]).map((id) => termOf(spec, [textOf('eq', idText(id, spec.prefix))]));
    case 'tag':
      return (filter.tags ?? []).map((tag) => termOf(spec, [textOf('eq', tag)]));
    case 'ids':
      return oneOf(spec, filter.ids?.map((id) => idText(id, '')));
    default:
      return oneOf(spec, filter[spec.field]);
  }
}

function textTerms(spec: KeySpec, filter: Given<StringFilter>): Expr[] {
  if (!isGiven(filter)) return [];
  const excluded = filter.notIn ?? [];
  return [
    ...given(filter.eq).map((text) => termOf(spec, [textOf('eq', text)])),
    ...oneOf(spec, filter.in),
    ...(excluded.length === 0 ? [] : oneOf(spec, excluded).map<Expr>((of) => ({ kind: 'not', of }))),
    ...(['startsWith', 'contains', 'containsIgnoreCase'] as const).flatMap((operator) =>
      given(filter[operator]).map((text) => termOf(spec, [textOf(operator, text)])),
    ),
    ...nullTerms(spec, filter.isNull),
  ];
}

function integerTerms(spec: KeySpec, filter: Given<IntFilter>): Expr[] {
  if (!isGiven(filter)) return [];
  const { eq, in: among, gte, lte } = filter;
  const isRange = isGiven(gte) || isGiven(lte);
  const range: Value = { kind: 'integers', ...(isGiven(gte) ? { gte } : {}), ...(isGiven(lte) ? { lte } : {}) };
  return [
    ...given(eq).map((number) => termOf(spec, [{ kind: 'integer', eq: number }])),
    ...given(among).map((numbers) => valuesTerm(spec, numbers.map((number) => ({ kind: 'integer', eq: number })))),
    ...(isRange ? [termOf(spec, [range])] : []),
  ];
}

function timeTerms(spec: KeySpec, filter: Given<DateTimeFilter>): Expr[] {
  if (!isGiven(filter)) return [];
  const { gte, lt, isNull } = filter;
  const isRange = isGiven(gte) || isGiven(lt);
  const range = timesOf(momentOf(gte), momentOf(lt));
  return [...(isRange ? [termOf(spec, [range])] : []), ...nullTerms(spec, isNull)];
}

function momentOf(text: Given<string>): Moment | undefined {
  return isGiven(text) ? { kind: 'instant', text } : undefined;
}

function secondsTerms(spec: KeySpec, filter: Given<FloatFilter>): Expr[] {
  if (!isGiven(filter)) return [];
  const { gte, lt } = filter;
  if (!isGiven(gte) && !isGiven(lt)) return [];
  return [termOf(spec, [{ kind: 'seconds', ...(isGiven(gte) ? { gte } : {}), ...(isGiven(lt) ? { lt } : {}) }])];
}

function nullTerms(spec: KeySpec, isNull: Given<boolean>): Expr[] {
  return given(isNull).map((each) => termOf(spec, [{ kind: each ? 'null' : 'notNull' }]));
}

function oneOf(spec: KeySpec, texts: Given<readonly string[]>): Expr[] {
  return given(texts).map((each) => valuesTerm(spec, each.map((text) => textOf('eq', text))));
}

/** One of some values; of none of them, nothing holds. */
function valuesTerm(spec: KeySpec, values: readonly Value[]): Expr {
  return values.length === 0 ? NOTHING : termOf(spec, values);
}

function termOf(spec: KeySpec, values: readonly Value[]): Expr {
  return { kind: 'term', spec, values };
}

function textOf(operator: TextOperator, text: string): Value {
  return { kind: 'text', operator, text };
}

/** An id with the prefix of its kind. */
function idText(id: string, prefix: string): string {
  const uuid = id.startsWith(prefix) ? id.slice(prefix.length) : id;
  return UUID.test(uuid) ? prefix + uuid.toLowerCase() : id;
}

function isGiven<T>(value: Given<T>): value is T {
  return value !== null && value !== undefined;
}

function given<T>(value: Given<T>): T[] {
  return isGiven(value) ? [value] : [];
}
