/** Makes a `JobFilter` of conditions, for the time at which it is used. */

import { isObject, setMember, type ExactValue } from '../json/value.ts';
import { writeExact } from '../json/write.ts';
import type { JobFilter } from './job-filter.ts';
import type { KeySpec } from './keys.ts';
import { documentOf } from './payload.ts';
import { isSingle, simplify } from './simplify.ts';
import { pinTimes, type Reading } from './times.ts';
import { withValues, type Expr, type Moment, type PayloadTerm, type Term, type Value } from './terms.ts';

/** A member of a filter, or a member of that: `type`, `eq`. */
type Slot = readonly [field: string, operator?: string];
type Members = Record<string, unknown>;

/** The filter that sets these conditions. */
export function toFilter(expr: Expr, reading: Reading): JobFilter {
  return build(simplify(pinned(expr, reading)));
}

/** The same conditions with instants: what is the same time now is one condition. */
function pinned(expr: Expr, reading: Reading): Expr {
  if (expr.kind === 'not') return { kind: 'not', of: pinned(expr.of, reading) };
  if (expr.kind !== 'term') return { kind: expr.kind, of: expr.of.map((each) => pinned(each, reading)) };
  return withValues(expr, expr.values.map((value) => (value.kind === 'times' ? pinTimes(value, reading) : value)));
}

function build(expr: Expr): JobFilter {
  const filters = new Filters();
  for (const each of expr.kind === 'all' ? expr.of : [expr]) filters.add(each);
  return filters.whole();
}

/** Filters that all have to match: the first, and more where one has no room for a condition. */
class Filters {
  readonly #filters: Members[] = [{}];

  whole(): JobFilter {
    const [first = {}, ...more] = this.#filters;
    return more.length === 0 ? first : { ...first, and: more };
  }

  add(expr: Expr): void {
    if (expr.kind === 'term') this.#addTerm(expr);
    else if (expr.kind === 'not') this.#exclude(expr.of);
    else this.#put(['or'], expr.of.flatMap((each) => this.#alternatives(each)));
  }

  #alternatives(expr: Expr): JobFilter[] {
    const parts = expr.kind === 'term' ? divided(expr) : [expr];
    return parts.map(build);
  }

  #addTerm(term: Term): void {
    if (divided(term).length > 1) this.#put(['or'], this.#alternatives(term));
    else if (term.spec === 'search') this.#put(['search'], textOf(term.values[0]));
    else if (term.spec === 'payload') this.#addPayload(term);
    else this.#addValues(term.spec, term.values);
  }

  #exclude(expr: Expr): void {
    if (expr.kind === 'term' && typeof expr.spec === 'object' && expr.spec.kind === 'text') {
      const texts = expr.values.filter(isSingle).map(textOf);
      const others = expr.values.filter((value) => !isSingle(value));
      if (texts.length > 0) this.#append([expr.spec.field, 'notIn'], texts);
      if (others.length > 0) this.#put(['not'], build(withValues(expr, others)));
    } else this.#put(['not'], build(expr));
  }

  #addPayload(term: PayloadTerm): void {
    const [value] = term.values;
    if (value?.kind !== 'json') return;
    const document = documentOf(term.path, value.value);
    for (let index = 0; ; index += 1) {
      const filter = (this.#filters[index] ??= {});
      const before = filter['payloadContains'] as ExactValue | undefined;
      const merged = before === undefined ? document : merge(before, document);
      if (merged === undefined) continue;
      filter['payloadContains'] = merged;
      return;
    }
  }

  #addValues(spec: KeySpec, values: readonly Value[]): void {
    const [first] = values;
    if (first === undefined) return;
    if (spec.kind === 'tag') return this.#append([spec.field], values.map(textOf));
    if (spec.kind === 'id') return this.#put([spec.field], textOf(first));
    if (spec.kind === 'status' || spec.kind === 'health' || spec.kind === 'ids') {
      return this.#put([spec.field], values.map(textOf));
    }
    if (values.length > 1) return this.#put([spec.field, 'in'], values.map(singleOf));
    for (const [slot, value] of this.#conditions(spec, first)) this.#put(slot, value);
  }

  /** What a single value sets. */
  #conditions({ field }: KeySpec, value: Value): [Slot, unknown][] {
    switch (value.kind) {
      case 'null':
      case 'notNull':
        return [[[field, 'isNull'], value.kind === 'null']];
      case 'integers':
        return defined([[field, 'gte'], value.gte], [[field, 'lte'], value.lte]);
      case 'seconds':
        return defined([[field, 'gte'], value.gte], [[field, 'lt'], value.lt]);
      case 'times':
        return defined([[field, 'gte'], instantOf(value.from)], [[field, 'lt'], instantOf(value.until)]);
      case 'longer':
        return [[[field], value.seconds]];
      case 'text':
        return [[[field, value.operator], value.text]];
      default:
        return [[[field, 'eq'], singleOf(value)]];
    }
  }

  /** Set a member in the first filter that does not have it yet, unless one has the same. */
  #put([field, operator]: Slot, value: unknown): void {
    for (let index = 0; ; index += 1) {
      const filter = (this.#filters[index] ??= {});
      const members = operator === undefined ? filter : ((filter[field] ??= {}) as Members);
      const name = operator ?? field;
      const before = members[name];
      if (before === undefined) members[name] = value;
      if (before === undefined || isSame(before, value)) return;
    }
  }

  /** Add to a list of the first filter. */
  #append([field, operator]: Slot, texts: readonly string[]): void {
    const [filter = {}] = this.#filters;
    const members = operator === undefined ? filter : ((filter[field] ??= {}) as Members);
    const before = (members[operator ?? field] ?? []) as string[];
    members[operator ?? field] = [...new Set([...before, ...texts])];
  }
}

/** Terms of which one has to hold, each of which one filter can express. */
function divided(term: Term): Term[] {
  if (term.spec !== 'payload' && term.spec !== 'search' && isListed(term.spec)) return [term];
  const isOfList = typeof term.spec === 'object' && (term.spec.kind === 'text' || term.spec.kind === 'integer');
  const single = isOfList ? term.values.filter(isSingle) : [];
  const others = term.values.filter((value) => !single.includes(value));
  return [...(single.length > 0 ? [single] : []), ...others.map((value) => [value])].map((values) => withValues(term, values));
}

function isListed(spec: KeySpec): boolean {
  return spec.kind === 'status' || spec.kind === 'health' || spec.kind === 'ids';
}

/** A document that contains what both contain; undefined if one value would have to be two. */
function merge(a: ExactValue, b: ExactValue): ExactValue | undefined {
  if (isSame(a, b)) return a;
  if (!isObject(a) || !isObject(b)) return undefined;
  const result: Record<string, ExactValue> = {};
  for (const [name, value] of Object.entries(a)) setMember(result, name, value);
  for (const [name, value] of Object.entries(b)) {
    const both = Object.hasOwn(result, name) ? merge(result[name] ?? null, value) : value;
    if (both === undefined) return undefined;
    setMember(result, name, both);
  }
  return result;
}

function defined(...conditions: [Slot, unknown][]): [Slot, unknown][] {
  return conditions.filter(([, value]) => value !== undefined);
}

/** The text of a moment that was pinned. */
function instantOf(moment: Moment | undefined): string | undefined {
  return moment?.kind === 'instant' ? moment.text : undefined;
}

function textOf(value: Value | undefined): string {
  return value?.kind === 'text' ? value.text : '';
}

function singleOf(value: Value): string | number {
  return value.kind === 'integer' ? value.eq : textOf(value);
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || writeExact(a as ExactValue) === writeExact(b as ExactValue);
}
