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
  return `${parsed.hasAlternatives ? `(${before})` : before} ${written}`;
}

/** The text without a condition, or without its value where there are others. */
export function withoutTerm(text: string, term: Term, names: Names = {}): string {
  const parsed = parse(text, names);
  const item = itemLike(parsed, term);
  if (item !== undefined) return withoutChip(text, item);
  const located = locatedLike(parsed, term).find((each) => hasValues(each, term));
  return located === undefined ? text : withoutValues(text, located, term);
}

/** The text with a value more or less of those of which one has to hold: for facets. */
export function toggled(text: string, term: Term, names: Names = {}): string {
  if (hasTerm(text, term, names)) return withoutTerm(text, term, names);
  const [located] = term.spec === 'search' ? [] : locatedLike(parse(text, names), term);
  const last = located?.values.at(-1);
  if (last === undefined) return withTerm(text, term, names);
  const added = writeTerm(term, names).slice(nameOf(term).length);
  return `${text.slice(0, last.end)},${added}${text.slice(last.end)}`;
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

/** Whether the values of a condition are among those of one of the text, of which one has to hold. */
export function hasTerm(text: string, term: Term, names: Names = {}): boolean {
  const parsed = parse(text, names);
  return itemLike(parsed, term) !== undefined || locatedLike(parsed, term).some((each) => hasValues(each, term));
}

/** The values of a term's key, of which one has to hold; none if there is no such condition. */
export function valuesOf(text: string, term: Term, names: Names = {}): Value[] {
  return locatedLike(parse(text, names), term).flatMap(({ values }) => values.map(({ value }) => value));
}

function itemLike({ items }: Parsed, term: Term): Item | undefined {
  const written = writeTerm(term);
  return items.find(({ expr }) => writeExpr(expr) === written);
}

/** The terms with the same key that have to hold. */
function locatedLike({ items, terms }: Parsed, term: Term): LocatedTerm[] {
  return terms.filter(
    (each) => nameOf(each.term) === nameOf(term) && items.some(({ expr, start }) => expr === each.term && start === each.start),
  );
}

function hasValues({ values, term }: LocatedTerm, { values: wanted }: Term): boolean {
  const texts = values.map(({ value }) => valueText(term, value));
  return wanted.length > 0 && wanted.every((value) => texts.includes(valueText(term, value)));
}

function withoutValues(text: string, located: LocatedTerm, { values: unwanted }: Term): string {
  const { term, values, start, end } = located;
  const texts = unwanted.map((value) => valueText(term, value));
  const kept = values.filter(({ value }) => !texts.includes(valueText(term, value)));
  if (kept.length === 0 || values[0] === undefined) return withoutChip(text, { start, end });
  const list = kept.map((each) => text.slice(each.start, each.end)).join(',');
  return `${text.slice(0, values[0].start)}${list}${text.slice(end)}`;
}

function valueText(term: Term, value: Value): string {
  return writeTerm(withValues(term, [value]));
}

function nameOf(term: Term): string {
  return writeTerm(withValues(term, []));
}
