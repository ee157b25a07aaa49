/** What a search text says: typed terms, combined with and, or and not. */

import type { ExactValue } from '../json/value.ts';
import type { LocalTime } from '../time/zones.ts';
import type { KeySpec } from './keys.ts';

export type TextOperator = 'eq' | 'startsWith' | 'contains' | 'containsIgnoreCase';

/** A point in time. Only an instant is the same at any time and in any zone. */
export type Moment =
  /** RFC 3339, as it was given. */
  | { kind: 'instant'; text: string }
  /** What the clocks show in the reader's zone. */
  | { kind: 'local'; local: LocalTime }
  /** A number of seconds from now. */
  | { kind: 'relative'; seconds: number }
  /** The start of the day that is a number of days from today. */
  | { kind: 'day'; days: number };

/** A range of times: `from` is in it, `until` is not. */
export interface Times {
  kind: 'times';
  from?: Moment;
  until?: Moment;
}

export type Value =
  | { kind: 'text'; operator: TextOperator; text: string }
  | { kind: 'null' }
  | { kind: 'notNull' }
  | { kind: 'integer'; eq: number }
  | { kind: 'integers'; gte?: number; lte?: number }
  | Times
  | { kind: 'seconds'; gte?: number; lt?: number }
  | { kind: 'longer'; seconds: number }
  | { kind: 'json'; value: ExactValue };

/** A path in the payload: names, and null for any item of a list. */
export type PayloadPath = readonly (string | null)[];

/** A condition that holds if one of the values does. */
export type Term = { kind: 'term'; values: readonly Value[] } & (
  | { spec: KeySpec }
  | { spec: 'payload'; path: PayloadPath }
  /** Free text, which has one value. */
  | { spec: 'search' }
);

export type PayloadTerm = Extract<Term, { spec: 'payload' }>;

export type Expr = Term | Group | Not;

/** `all` of nothing is true, `any` of nothing is false. */
export interface Group {
  kind: 'all' | 'any';
  of: readonly Expr[];
}

export interface Not {
  kind: 'not';
  of: Expr;
}

export const EVERYTHING: Expr = { kind: 'all', of: [] };
export const NOTHING: Expr = { kind: 'not', of: EVERYTHING };

/** Whether it holds for each job, whatever it is. */
export function isEverything(expr: Expr): boolean {
  return expr.kind === 'all' && expr.of.length === 0;
}

/** Whether it holds for no job. */
export function isNothing(expr: Expr): boolean {
  return expr.kind === 'not' && isEverything(expr.of);
}

/** The same term with other values. */
export function withValues<T extends Term>(term: T, values: readonly Value[]): T {
  return { ...term, values };
}

/** A term of free text. */
export function searchTerm(text: string): Term {
  return { kind: 'term', spec: 'search', values: [{ kind: 'text', operator: 'containsIgnoreCase', text }] };
}
