/** Reads a search text: `status:failed (type:email.* OR by:api) -queue:mail "free text"`. */

import type { Fault } from './faults.ts';
import { keyLike, keyNamed, type KeySpec } from './keys.ts';
import { PAYLOAD, readPath, readPayloadValue } from './payload.ts';
import { EVERYTHING, searchTerm, type Expr, type Term, type Value } from './terms.ts';
import { quote, Scanner, UUID } from './tokens.ts';
import { readValue, type Names } from './values.ts';

/** A value of a term with its place. */
export interface LocatedValue {
  value: Value;
  start: number;
  end: number;
}

/** A term with its place, without a `-` before it. */
export interface LocatedTerm {
  term: Term;
  start: number;
  end: number;
  values: readonly LocatedValue[];
}

/** A part of the text that stands alone: one condition of those that all have to hold. */
export interface Item {
  /** What was read of it; everything if nothing could be read. */
  expr: Expr;
  start: number;
  end: number;
}

export interface Parsed {
  text: string;
  expr: Expr;
  faults: readonly Fault[];
  /** Every term, in order. */
  terms: readonly LocatedTerm[];
  /** The conditions that all have to hold; one if there is an `OR` outside of parentheses. */
  items: readonly Item[];
  /** Whether there is an `OR` outside of parentheses. */
  hasAlternatives: boolean;
}

const KEY = /[A-Za-z][A-Za-z0-9_]*(?=:)/y;
const OR = /OR(?=[\s()]|$)/y;
const AND = /AND(?=[\s()]|$)/y;
const NOT = /NOT(?=[\s()]|$)/y;
const MINUS = /-(?=[^\s)])/y;
const WORD = /[^\s()"]+/y;
const MAX_DEPTH = 40;

/** Read a text. What has a fault is not in `expr`: a text with faults has no meaning as a whole. */
export function parse(text: string, names: Names = {}): Parsed {
  return new Parser(text, names).whole();
}

class Parser {
  readonly #scanner: Scanner;
  readonly #names: Names;
  readonly #terms: LocatedTerm[] = [];
  #depth = 0;

  constructor(text: string, names: Names) {
    this.#scanner = new Scanner(text);
    this.#names = names;
  }

  whole(): Parsed {
    const scanner = this.#scanner;
    const alternatives = [this.#conjunction()];
    for (;;) {
      const start = scanner.at;
      if (scanner.match(OR) !== undefined) alternatives.push(this.#operand(alternatives.at(-1), start));
      else if (scanner.take(')')) {
        scanner.fault('parenthesisNotOpened', start, scanner.at);
        alternatives.push([...(alternatives.pop() ?? []), ...this.#conjunction()]);
      } else break;
    }
    const { text, faults } = scanner;
    const items = itemsOf(alternatives, text);
    return { text, expr: joined(alternatives), faults, terms: this.#terms, items, hasAlternatives: alternatives.length > 1 };
  }

  /** What is inside of parentheses. */
  #disjunction(): Expr {
    const alternatives = [this.#conjunction()];
    for (let start = this.#scanner.at; this.#scanner.match(OR) !== undefined; start = this.#scanner.at) {
      alternatives.push(this.#operand(alternatives.at(-1), start));
    }
    return joined(alternatives);
  }

  /** What stands after an `OR`; there has to be something before it, too. */
  #operand(before: readonly Item[] | undefined, start: number): Item[] {
    const end = this.#scanner.at;
    const items = this.#conjunction();
    if (before?.length === 0 || items.length === 0) this.#scanner.fault('operandMissing', start, end, { operator: 'OR' });
    return items;
  }

  #conjunction(): Item[] {
    const items: Item[] = [];
    for (;;) {
      this.#scanner.skipSpace();
      if (this.#scanner.isAtEnd || this.#scanner.sees(OR) || this.#scanner.text[this.#scanner.at] === ')') return items;
      const start = this.#scanner.at;
      if (this.#scanner.match(AND) !== undefined) this.#checkAnd(items, start);
      else items.push({ expr: this.#unary(), start, end: this.#scanner.at });
    }
  }

  #checkAnd(items: readonly Item[], start: number): void {
    const end = this.#scanner.at;
    this.#scanner.skipSpace();
    const isLast = this.#scanner.isAtEnd || this.#scanner.sees(OR) || this.#scanner.text[this.#scanner.at] === ')';
    if (isLast || items.length === 0) this.#scanner.fault('operandMissing', start, end, { operator: 'AND' });
  }

  #unary(): Expr {
    const scanner = this.#scanner;
    const start = scanner.at;
    const not = scanner.match(MINUS) ?? scanner.match(NOT);
    if (not === undefined) return scanner.take('(') ? this.#nested(start, () => this.#parenthesis(start)) : this.#term();
    scanner.skipSpace();
    if (!scanner.isAtEnd && scanner.text[scanner.at] !== ')') return this.#nested(start, () => ({ kind: 'not', of: this.#unary() }));
    scanner.fault('operandMissing', start, start + not.length, { operator: not });
    return EVERYTHING;
  }

  #parenthesis(start: number): Expr {
    const inner = this.#disjunction();
    if (!this.#scanner.take(')')) this.#scanner.fault('parenthesisNotClosed', start, start + 1);
    return inner;
  }

  /** Read what is one level deeper; past the deepest level, skip the rest of the text. */
  #nested(start: number, read: () => Expr): Expr {
    if (this.#depth === MAX_DEPTH) {
      this.#scanner.at = this.#scanner.text.length;
      this.#scanner.fault('tooDeep', start, start + 1);
      return EVERYTHING;
    }
    this.#depth += 1;
    const expr = read();
    this.#depth -= 1;
    return expr;
  }

  #term(): Expr {
    const scanner = this.#scanner;
    const start = scanner.at;
    if (scanner.text[start] === '"') return this.#located(start, searchTerm(scanner.quoted()), []);
    if (scanner.match(PAYLOAD) !== undefined) return this.#payload(start);
    const name = scanner.match(KEY);
    if (name !== undefined) {
      scanner.take(':');
      const spec = keyNamed(name);
      return spec === undefined ? this.#unknown(name, start) : this.#keyed(spec, start);
    }
    const word = scanner.match(WORD) ?? '';
    return this.#located(start, UUID.test(word) ? idTerm(word) : searchTerm(word), []);
  }

  #keyed(spec: KeySpec, start: number): Expr {
    const values = this.#values(() => readValue(this.#scanner, spec, this.#names));
    return this.#located(start, { kind: 'term', spec, values: [] }, values);
  }

  #payload(start: number): Expr {
    const path = readPath(this.#scanner, start);
    if (path === null) return EVERYTHING;
    const values = this.#values(() => readPayloadValue(this.#scanner));
    if (path.length === 0 && values?.some(({ value }) => value.kind === 'json' && value.value === null)) {
      this.#scanner.fault('payloadNull', start, this.#scanner.at);
    }
    return this.#located(start, { kind: 'term', spec: 'payload', path, values: [] }, values);
  }

  /** Read values with commas between them. Null: one has a fault. */
  #values(read: () => Value | null): LocatedValue[] | null {
    const values: LocatedValue[] = [];
    let isFaulty = false;
    do {
      const start = this.#scanner.at;
      const value = read();
      if (value === null) isFaulty = true;
      else values.push({ value, start, end: this.#scanner.at });
    } while (this.#scanner.take(','));
    return isFaulty ? null : values;
  }

  #located(start: number, term: Term, values: readonly LocatedValue[] | null): Expr {
    if (values === null) return EVERYTHING;
    const whole = values.length === 0 ? term : { ...term, values: values.map(({ value }) => value) };
    this.#terms.push({ term: whole, start, end: this.#scanner.at, values });
    return whole;
  }

  #unknown(key: string, start: number): Expr {
    while (!this.#scanner.isAtDelimiter) this.#scanner.value();
    const like = keyLike(key);
    const end = start + key.length;
    if (like === undefined) this.#scanner.fault('unknownKey', start, end, { key });
    else this.#scanner.fault('unknownKeyLike', start, end, { key, like });
    return EVERYTHING;
  }
}

function idTerm(id: string): Term {
  const term = parse(`id:${quote(id)}`).terms[0]?.term;
  return term ?? searchTerm(id);
}

function joined(alternatives: readonly (readonly Item[])[]): Expr {
  const groups = alternatives.map((items): Expr => ({ kind: 'all', of: items.map(({ expr }) => expr) }));
  const [first = EVERYTHING] = groups;
  return groups.length === 1 ? first : { kind: 'any', of: groups };
}

function itemsOf(alternatives: readonly (readonly Item[])[], text: string): readonly Item[] {
  const [items = []] = alternatives;
  if (alternatives.length === 1) return items;
  const start = text.search(/\S/);
  return [{ expr: joined(alternatives), start, end: text.trimEnd().length }];
}
