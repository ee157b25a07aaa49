/** What filters mean, as their descriptions in the schema say: to compare filters by what they match. */

import { isArray, isObject, type ExactValue } from '../json/value.ts';
import { writeExact } from '../json/write.ts';
import type { DateTimeFilter, FloatFilter, IntFilter, JobFilter, StringFilter } from './job-filter.ts';

type Given<T> = T | null | undefined;

/** A job as far as filters see it: its fields by their names in `JobFilter`. */
export interface TestJob {
  id: string;
  status: string;
  health: string;
  tags: readonly string[];
  payload: ExactValue | undefined;
  /** The text that `search` looks at. */
  searched: string;
  /** Texts, ids, numbers and times. Null: not there. */
  fields: Readonly<Record<string, string | number | null>>;
}

/** Whether a job matches a filter. */
export function matches(filter: JobFilter, job: TestJob): boolean {
  const { and, or, not, ...members } = filter;
  const isOwn = Object.entries(members).every(([name, value]) => value === null || value === undefined || meets(name, value, job));
  return (
    isOwn &&
    (and ?? []).every((each) => matches(each, job)) &&
    (isOmitted(or) || or.some((each) => matches(each, job))) &&
    (isOmitted(not) || !matches(not, job))
  );
}

function meets(name: string, value: unknown, job: TestJob): boolean {
  if (name === 'ids') return (value as string[]).includes(job.id);
  if (name === 'status' || name === 'health') return (value as string[]).includes(job[name]);
  if (name === 'tags') return (value as string[]).every((tag) => job.tags.includes(tag));
  if (name === 'search') return job.searched.includes(String(value).toLowerCase());
  if (name === 'payloadContains') return job.payload !== undefined && contains(job.payload, value as ExactValue);
  const field = job.fields[name] ?? null;
  if (typeof value === 'string') return field === value;
  if (typeof value === 'number') return field !== null && Number(field) > value;
  return compares(value as StringFilter & IntFilter & FloatFilter & DateTimeFilter, field);
}

type Comparisons = { [K in keyof (StringFilter & IntFilter & FloatFilter & DateTimeFilter)]?: unknown };

function compares(conditions: Comparisons, field: string | number | null): boolean {
  return Object.entries(conditions).every(([operator, value]) => {
    if (value === null || value === undefined) return true;
    if (operator === 'isNull') return (field === null) === value;
    if (operator === 'notIn') return field === null || !(value as unknown[]).includes(field);
    return field !== null && compare(operator, value, field);
  });
}

function compare(operator: string, value: unknown, field: string | number): boolean {
  switch (operator) {
    case 'eq':
      return field === value;
    case 'in':
      return (value as unknown[]).includes(field);
    case 'startsWith':
      return String(field).startsWith(String(value));
    case 'contains':
      return String(field).includes(String(value));
    case 'containsIgnoreCase':
      return String(field).toLowerCase().includes(String(value).toLowerCase());
    case 'gte':
      return ordered(field, value) >= 0;
    case 'lte':
      return ordered(field, value) <= 0;
    case 'lt':
      return ordered(field, value) < 0;
    default:
      throw new Error(operator);
  }
}

/** Numbers as they are; times as instants. */
function ordered(field: string | number, value: unknown): number {
  const number = (each: unknown): number => (typeof each === 'number' ? each : Date.parse(String(each).toUpperCase().replace(' ', 'T')));
  return number(field) - number(value);
}

/** `@>` of jsonb, but for texts in lists at the root. */
function contains(whole: ExactValue, part: ExactValue): boolean {
  if (isObject(part)) {
    return isObject(whole) && Object.entries(part).every(([name, value]) => Object.hasOwn(whole, name) && contains(whole[name] ?? null, value));
  }
  if (isArray(part)) return isArray(whole) && part.every((item) => whole.some((each) => contains(each, item)));
  return !isObject(whole) && !isArray(whole) && writeExact(whole) === writeExact(part);
}

function isOmitted<T>(value: Given<T>): value is null | undefined {
  return value === null || value === undefined;
}
