/** Brings conditions into one form: the same conditions in another order or nesting are then alike. */

import { KEYS } from './keys.ts';
import { documentOf, payloadTerms } from './payload.ts';
import { EVERYTHING, isEverything, isNothing, NOTHING, withValues, type Expr, type PayloadTerm, type Term, type Value } from './terms.ts';
import { writeExpr, writeTerm } from './write-terms.ts';

/** The same conditions, flattened, sorted, and with the values of a key together. */
export function simplify(expr: Expr): Expr {
  if (expr.kind === 'term') return simplifyTerm(expr);
  if (expr.kind === 'not') return negated(simplify(expr.of));
  const parts = expr.of.map(simplify);
  return expr.kind === 'all' ? allOf(parts) : anyOf(parts);
}

function simplifyTerm(term: Term): Expr {
  const values = term.values.map((value) => simplifyValue(term, value));
  if (term.spec === 'search' && values.some((value) => value.kind === 'notNull')) return EVERYTHING;
  const distinct = [...new Map(values.map((value) => [writeTerm(withValues(term, [value])), value])).values()];
  if (distinct.length === 0) return NOTHING;
  if (term.spec === 'payload') return simplifyPayload(term, distinct);
  const single = distinct.filter(isSingle);
  return withValues(term, [...single, ...distinct.filter((value) => !isSingle(value))]);
}

/** A value with several leaves, or deeper than its path, is a condition on each leaf. */
function simplifyPayload(term: PayloadTerm, values: readonly Value[]): Expr {
  const whole: Value[] = [];
  const others: Expr[] = [];
  for (const value of values) {
    const leaves = value.kind === 'json' ? payloadTerms(documentOf(term.path, value.value)) : [];
    if (leaves.length === 1 && leaves[0]?.path.length === term.path.length) whole.push(value);
    else others.push(allOf(leaves));
  }
  const kept = withValues(term, whole);
  if (others.length === 0) return kept;
  return anyOf(whole.length === 0 ? others : [kept, ...others]);
}

/** Any text but null begins with nothing, and contains it. */
function simplifyValue(term: Term, value: Value): Value {
  const isEmpty = value.kind === 'text' && value.operator !== 'eq' && value.text === '';
  const isText = term.spec === 'search' || (term.spec !== 'payload' && term.spec.kind === 'text');
  return isEmpty && isText ? { kind: 'notNull' } : value;
}

/** Whether it is one value, of which a filter takes a list. */
export function isSingle(value: Value): boolean {
  return value.kind === 'integer' || (value.kind === 'text' && value.operator === 'eq');
}

function negated(expr: Expr): Expr {
  if (expr.kind === 'not') return expr.of;
  if (isEverything(expr)) return NOTHING;
  if (expr.kind !== 'term') return { kind: 'not', of: expr };
  const opposites = expr.values.flatMap<Value>(({ kind }) =>
    kind === 'null' ? [{ kind: 'notNull' }] : kind === 'notNull' ? [{ kind: 'null' }] : [],
  );
  if (opposites.length === 0) return { kind: 'not', of: expr };
  const others = expr.values.filter(({ kind }) => kind !== 'null' && kind !== 'notNull');
  const parts: Expr[] = opposites.map((value) => withValues(expr, [value]));
  if (others.length > 0) parts.push({ kind: 'not', of: withValues(expr, others) });
  return allOf(parts);
}

function allOf(parts: readonly Expr[]): Expr {
  const flat = parts.flatMap((each) => (each.kind === 'all' ? each.of : [each]));
  if (flat.some(isNothing)) return NOTHING;
  const joined = joinedBy(flat, (each) => (each.kind === 'not' && each.of.kind === 'term' ? each.of : null), negated);
  const sorted = joined.map((each) => [rank(each), each] as const).sort(([a], [b]) => a - b);
  return group('all', sorted.map(([, each]) => each));
}

function anyOf(parts: readonly Expr[]): Expr {
  const flat = parts.flatMap((each) => (each.kind === 'any' ? each.of : [each])).filter((each) => !isNothing(each));
  if (flat.some(isEverything)) return EVERYTHING;
  return group('any', joinedBy(flat, (each) => (each.kind === 'term' ? each : null), (term) => term));
}

/** Join the values of terms with the same key, where the first of them is; drop what is there twice. */
function joinedBy(parts: readonly Expr[], termOf: (expr: Expr) => Term | null, wrap: (term: Expr) => Expr): Expr[] {
  const result: Expr[] = [];
  const places = new Map<string, number>();
  for (const each of parts) {
    const term = termOf(each);
    const key = term === null || term.spec === 'search' ? writeExpr(each) : `key ${joinKey(term)}`;
    const place = places.get(key);
    const before = place === undefined ? undefined : result[place];
    if (place === undefined || before === undefined) places.set(key, result.push(each) - 1);
    else if (term !== null && term.spec !== 'search') result[place] = joinTerms(termOf(before), term, wrap);
  }
  return result;
}

function joinTerms(first: Term | null, second: Term, wrap: (term: Expr) => Expr): Expr {
  return wrap(simplifyTerm(withValues(second, [...(first?.values ?? []), ...second.values])));
}

function joinKey(term: Term): string {
  if (term.spec === 'payload') return `payload ${JSON.stringify(term.path)}`;
  return term.spec === 'search' ? 'search' : term.spec.key;
}

function group(kind: 'all' | 'any', of: readonly Expr[]): Expr {
  const [only] = of;
  if (only === undefined) return kind === 'all' ? EVERYTHING : NOTHING;
  return of.length === 1 ? only : { kind, of };
}

const RANKS = new Map(KEYS.map((spec, index) => [spec.key, index]));

/** Where a condition stands: terms as keys are ordered, then what they exclude, then groups. */
function rank(expr: Expr): number {
  if (expr.kind === 'term') return termRank(expr);
  if (expr.kind === 'not' && expr.of.kind === 'term') return 1_000 + termRank(expr.of);
  return expr.kind === 'any' ? 2_000 : 3_000;
}

function termRank({ spec }: Term): number {
  if (spec === 'payload') return 900;
  return spec === 'search' ? 901 : (RANKS.get(spec.key) ?? 0);
}
