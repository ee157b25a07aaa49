/** The jobs list's URL: everything that is seen, so that a link shows the same. */

import { toFilter } from './filter.ts';
import { compile, withSizeChecked, type Compiled } from './compile.ts';
import { keyNamed } from './keys.ts';
import { pinMoment, pinText } from './pin.ts';
import { readTimes, type Reading } from './times.ts';
import type { Expr } from './terms.ts';
import { UUID } from './tokens.ts';
import type { Names } from './values.ts';

export const ORDER_FIELDS = ['CREATED_AT', 'UPDATED_AT', 'SCHEDULED_AT', 'STARTED_AT', 'FINISHED_AT', 'PRIORITY'] as const;
export type OrderField = (typeof ORDER_FIELDS)[number];

export interface JobOrder {
  field: OrderField;
  direction: 'ASC' | 'DESC';
}

export interface View {
  /** The search text. */
  q: string;
  /** A range of `createdAt` apart from the search text: `-24h`, or an instant; null: open. */
  from: string | null;
  until: string | null;
  order: JobOrder;
  /** The columns, by names that this does not know; null: the usual ones. */
  columns: readonly string[] | null;
  /** The id of the job in view. */
  at: string | null;
  tab: string | null;
  /** Parameters that are not known, or whose values cannot be read: kept, to be named. */
  unknown: readonly (readonly [name: string, value: string])[];
}

export const DEFAULT_ORDER: JobOrder = { field: 'CREATED_AT', direction: 'DESC' };
export const DEFAULT_VIEW: View = {
  q: '',
  from: null,
  until: null,
  order: DEFAULT_ORDER,
  columns: null,
  at: null,
  tab: null,
  unknown: [],
};

const NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;

/** How each parameter is read; undefined: it cannot be. */
const READERS: Readonly<Record<string, (value: string) => Partial<View> | undefined>> = {
  q: (q) => ({ q }),
  from: (from) => (isMoment(from) ? { from } : undefined),
  until: (until) => (isMoment(until) ? { until } : undefined),
  order: readOrder,
  cols: (cols) => (cols.split(',').every((name) => NAME.test(name)) ? { columns: cols.split(',') } : undefined),
  at: (at) => (UUID.test(at) ? { at: at.toLowerCase() } : undefined),
  tab: (tab) => (NAME.test(tab) ? { tab } : undefined),
};

/** Read the part of a URL after the question mark. */
export function readView(search: string): View {
  const seen = new Set<string>();
  const unknown: [string, string][] = [];
  let view = DEFAULT_VIEW;
  for (const [name, value] of new URLSearchParams(search)) {
    const isKnown = Object.hasOwn(READERS, name);
    if (isKnown && value === '') continue;
    const read = isKnown && !seen.has(name) ? READERS[name]?.(value) : undefined;
    if (read === undefined) unknown.push([name, value]);
    else view = { ...view, ...read };
    if (read !== undefined) seen.add(name);
  }
  return { ...view, unknown };
}

/** Write a view for a URL, with a question mark; empty if everything is as usual. */
export function writeView(view: View): string {
  const { q, from, until, order, columns, at, tab, unknown } = view;
  const isDefault = order.field === DEFAULT_ORDER.field && order.direction === DEFAULT_ORDER.direction;
  // Without it, another of the same name would be read instead.
  const isUsual = isDefault && !unknown.some(([name]) => name === 'order');
  const parameters = new URLSearchParams();
  const known = { q, from, until, order: isUsual ? null : orderText(order), cols: columns?.join(','), at, tab };
  for (const [name, value] of Object.entries(known)) {
    if (value !== null && value !== undefined && value !== '') parameters.append(name, value);
  }
  for (const [name, value] of unknown) parameters.append(name, value);
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

/** The view with instants instead of relative times. */
export function pin(view: View, reading: Reading): View {
  return { ...view, q: pinText(view.q, reading), ...pinRange(view, reading) };
}

/** The filter of a view: its search text and its range. */
export function compileView(view: View, reading: Reading, names: Names = {}): Compiled {
  const compiled = compile(view.q, reading, names);
  const range = rangeOf(view);
  if (compiled.filter === null || range === null) return compiled;
  const filter = toFilter({ kind: 'all', of: [compiled.parsed.expr, range] }, reading);
  return withSizeChecked(filter, compiled.parsed);
}

function pinRange({ from, until }: View, reading: Reading): Pick<View, 'from' | 'until'> {
  const pinned = (text: string | null): string | null => (text === null ? null : pinMoment(text, reading));
  return { from: pinned(from), until: pinned(until) };
}

function rangeOf({ from, until }: View): Expr | null {
  const spec = keyNamed('created');
  const ends = [from === null ? null : readTimes('>=', from), until === null ? null : readTimes('<', until)];
  const values = ends.flatMap((value) => (value === null ? [] : [value]));
  if (spec === undefined || values.length === 0) return null;
  return { kind: 'all', of: values.map((value) => ({ kind: 'term', spec, values: [value] })) };
}

function isMoment(text: string): boolean {
  return !text.includes('..') && readTimes('>=', text) !== null;
}

function readOrder(text: string): Partial<View> | undefined {
  const isDescending = text.startsWith('-');
  const field = ORDER_FIELDS.find((each) => orderWord(each) === text.slice(isDescending ? 1 : 0));
  return field && { order: { field, direction: isDescending ? 'DESC' : 'ASC' } };
}

/** `-created`: the newest first. */
function orderText({ field, direction }: JobOrder): string {
  return `${direction === 'DESC' ? '-' : ''}${orderWord(field)}`;
}

function orderWord(field: OrderField): string {
  return field.toLowerCase().replace('_at', '');
}
