/** The parts of a search text to show as chips, and texts with a part more or less. */

import type { Item, LocatedTerm, Parsed } from './parse.ts';
import { parse } from './parse.ts';
import { withValues, type Expr, type Term, type Value } from './terms.ts';
import type { Names } from './values.ts';
import { writeExpr, writeTerm } from './write-terms.ts';

export type ChipKind = 'term' | 'text' | 'group' | 'fault';

/** A part of the text that can be removed alone. */
export interface Chip {
  text: string;
  start: number;
  end: number;
  kind: ChipKind;
  /** The key of a term: `status`, `payload`; null for anything else. */
  key: string | null;
  isNegated: boolean;
}

/** The chips of a text, in order. */
export function chips(parsed: Parsed): Chip[] {
  const { text, faults, items } = parsed;
  const own = items.map((item) => chipOf(item, parsed));
  // What stands alone without being a condition, such as a parenthesis too many.
  const stray = faults
    .filter(({ start, end }) => end > start && !items.some((item) => item.start < end && start < item.end))
    .map(({ start, end }): Chip => ({ text: text.slice(start, end), start, end, kind: 'fault', key: null, isNegated: false }));
  return [...own, ...stray].sort((a, b) => a.start - b.start);
}

function chipOf({ expr, start, end }: Item, { text, faults }: Parsed): Chip {
  const isNegated = expr.kind === 'not';
  const inner = isNegated ? expr.of : expr;
  const isFaulty = faults.some((fault) => fault.start < end && start < fault.end);
  const kind = isFaulty ? 'fault' : inner.kind !== 'term' ? 'group' : inner.spec === 'search' ? 'text' : 'term';
  return { text: text.slice(start, end), start, end, kind, key: keyOf(inner), isNegated };
}

function keyOf(expr: Expr): string | null {
  if (expr.kind !== 'term' || expr.spec === 'search') return null;
  return expr.spec === 'payload' ? 'payload' : expr.spec.key;
}

/** The text without a chip. */
export function withoutChip(text: string, chip: { start: number; end: number }): string {
  const others = chips(parse(text)).filter(({ start, end }) => start !== chip.start || end !== chip.end);
  return others.map((each) => each.text).join(' ');
}

/** The text with a condition more, unless it is there. */
export function withTerm(text: string, term: Term, names: Names = {}): string {
  const parsed = parse(text, names);
  if (itemLike(parsed, term) !== undefined) return text;
  const written = writeTerm(term, names);
  const before = text.trim();
  if (before === '') return written;
  // What is not closed would take in what is added after it.
  const isOpen = parsed.faults.some(({ code }) => code === 'quoteNotClosed' || code === 'parenthesisNotClosed');
  if (isOpen) return `${written} ${before}`;
  const isAlternative = parsed.items.length === 1 && parsed.items[0]?.expr === parsed.expr && parsed.expr.kind === 'any';
  return `${isAlternative && !isInParentheses(parsed) ? `(${before})` : before} ${written}`;
}

/** Whether the only item is one pair of parentheses. */
function isInParentheses({ text, items }: Parsed): boolean {
  return items[0] !== undefined && text[items[0].start] === '(' && parse(text.slice(items[0].start + 1, items[0].end - 1)).faults.length === 0;
}

/** The text without a condition, or without its value where there are others. */
export function withoutTerm(text: string, term: Term, names: Names = {}): string {
  const parsed = parse(text, names);
  const item = itemLike(parsed, term);
  if (item !== undefined) return withoutChip(text, item);
  const [value] = term.values;
  const located = value === undefined || term.values.length > 1 ? undefined : locatedLike(parsed, term);
  return value === undefined || located === undefined ? text : withoutValue(text, located, value);
}

/** The text with a value more or less of those of which one has to hold: for facets. */
export function toggled(text: string, term: Term, names: Names = {}): string {
  const parsed = parse(text, names);
  if (hasTerm(text, term, names)) return withoutTerm(text, term, names);
  const located = term.spec === 'search' ? undefined : locatedLike(parsed, term);
  const [value] = term.values;
  const last = located?.values.at(-1);
  if (last === undefined || value === undefined) return withTerm(text, term, names);
  return `${text.slice(0, last.end)},${valueText(term, value, names)}${text.slice(last.end)}`;
}

/** The text with this condition alone of its key: for ranges. */
export function withOnly(text: string, term: Term, names: Names = {}): string {
  return withTerm(withoutKey(text, term), term, names);
}

/** The text without the conditions of a term's key, but for those in groups and those with a `-`. */
export function withoutKey(text: string, term: Term): string {
  const parsed = parse(text);
  const own = parsed.items.filter(({ expr }) => expr.kind === 'term' && nameOf(expr) === nameOf(term));
  const kept = chips(parsed).filter(({ start }) => !own.some((item) => item.start === start));
  return own.length === 0 ? text : kept.map((each) => each.text).join(' ');
}

/** Whether a condition with one value holds of the text: alone, or as one of several values. */
export function hasTerm(text: string, term: Term, names: Names = {}): boolean {
  const wanted = term.values.map((value) => valueText(term, value, names));
  const found = valuesOf(text, term, names).map((value) => valueText(term, value, names));
  return wanted.length > 0 && wanted.every((each) => found.includes(each));
}

/** The values of a term's key of which one has to hold; none if there is no such condition. */
export function valuesOf(text: string, term: Term, names: Names = {}): Value[] {
  return locatedLike(parse(text, names), term)?.values.map(({ value }) => value) ?? [];
}

function itemLike({ items }: Parsed, term: Term): Item | undefined {
  const written = writeTerm(term);
  return items.find(({ expr }) => writeExpr(expr) === written);
}

/** The first term with the same key that has to hold. */
function locatedLike({ items, terms }: Parsed, term: Term): LocatedTerm | undefined {
  return terms.find(
    (each) =>
      nameOf(each.term) === nameOf(term) && items.some(({ expr, start }) => expr === each.term && start === each.start),
  );
}

function withoutValue(text: string, located: LocatedTerm, value: Value): string {
  const { term, values } = located;
  const wanted = valueText(term, value, {});
  const kept = values.filter((each) => valueText(term, each.value, {}) !== wanted);
  if (kept.length === values.length || values[0] === undefined) return text;
  const list = kept.map(({ start, end }) => text.slice(start, end)).join(',');
  return `${text.slice(0, values[0].start)}${list}${text.slice(located.end)}`;
}

function valueText(term: Term, value: Value, names: Names): string {
  return writeTerm(withValues(term, [value]), names);
}

function nameOf(term: Term): string {
  return writeTerm(withValues(term, []));
}
