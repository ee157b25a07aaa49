/** A parser of JSON that keeps every digit, and whose depth is not bounded by the stack. */

import { markNumbers, unmarkNumbers } from './marks.ts';
import { numberOf, setMember, type ExactValue } from './value.ts';

/** The text is not JSON. */
export class JsonFault extends Error {
  /** The index in the text. */
  readonly position: number;

  constructor(position: number) {
    super(`not JSON at ${position}`);
    this.position = position;
  }
}

/** Parse JSON; numbers that are not written as their double is are kept as `ExactNumber`. */
export function parseExact(text: string): ExactValue {
  const parser = new Parser(text, 0, null);
  const value = parser.value();
  parser.end();
  return value as ExactValue;
}

/** Parse the JSON value that begins at an index, and return where it ends. */
export function parseExactAt(text: string, start: number): { value: ExactValue; end: number } {
  const parser = new Parser(text, start, null);
  const value = parser.value() as ExactValue;
  return { value, end: parser.at };
}

/**
 * Parse an answer as `JSON.parse` does, but for the members with these names, in which every digit
 * is kept.
 */
export function parseAnswer(text: string, exactAt: ReadonlySet<string>): unknown {
  // The browser's own parser is quicker, and most answers have no such member.
  if (![...exactAt].some((name) => text.includes(`"${name}"`))) return JSON.parse(text);
  const marked = markNumbers(text);
  if (marked !== null) return unmarkNumbers(JSON.parse(marked), exactAt);
  const parser = new Parser(text, 0, exactAt);
  const value = parser.value();
  parser.end();
  return value;
}

interface Frame {
  container: unknown[] | Record<string, unknown>;
  /** The member that is being read; null in an array. */
  key: string | null;
  isExact: boolean;
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// Control characters have to be escaped.
// oxlint-disable-next-line no-control-regex
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const WORDS = new Map<string, [word: string, value: boolean | null]>([
  ['t', ['true', true]],
  ['f', ['false', false]],
  ['n', ['null', null]],
]);

class Parser {
  at: number;
  readonly #text: string;
  readonly #exactAt: ReadonlySet<string> | null;
  readonly #open: Frame[] = [];
  #isExact: boolean;

  /** `exactAt` null: everything is kept exact. */
  constructor(text: string, start: number, exactAt: ReadonlySet<string> | null) {
    this.#text = text;
    this.at = start;
    this.#exactAt = exactAt;
    this.#isExact = exactAt === null;
  }

  value(): unknown {
    for (;;) {
      this.#skip();
      const opened = this.#opened();
      let value = opened ?? this.#scalar();
      if (opened !== undefined && this.#goesIn(opened)) continue;
      // The value is complete: so may be the containers that it ends.
      for (;;) {
        const frame = this.#open.at(-1);
        if (frame === undefined) return value;
        add(frame, value);
        if (this.#hasNext(frame)) break;
        value = frame.container;
        this.#open.pop();
        this.#isExact = this.#open.at(-1)?.isExact ?? this.#exactAt === null;
      }
    }
  }

  end(): void {
    this.#skip();
    if (this.at < this.#text.length) throw new JsonFault(this.at);
  }

  #opened(): unknown[] | Record<string, unknown> | undefined {
    const sign = this.#text[this.at];
    if (sign !== '[' && sign !== '{') return undefined;
    this.at += 1;
    return sign === '[' ? [] : {};
  }

  /** Whether the container that was opened has something; if not, it is closed already. */
  #goesIn(container: unknown[] | Record<string, unknown>): boolean {
    const isArray = Array.isArray(container);
    this.#skip();
    if (this.#take(isArray ? ']' : '}')) return false;
    const frame = { container, key: null, isExact: this.#isExact };
    this.#open.push(frame);
    if (!isArray) this.#readKey(frame);
    return true;
  }

  #hasNext(frame: Frame): boolean {
    const isArray = Array.isArray(frame.container);
    this.#skip();
    if (this.#take(isArray ? ']' : '}')) return false;
    this.#expect(',');
    if (!isArray) this.#readKey(frame);
    return true;
  }

  #readKey(frame: Frame): void {
    this.#skip();
    const key = this.#string();
    this.#skip();
    this.#expect(':');
    frame.key = key;
    this.#isExact = frame.isExact || this.#exactAt === null || this.#exactAt.has(key);
  }

  #scalar(): unknown {
    const sign = this.#text[this.at] ?? '';
    if (sign === '"') return this.#string();
    const word = WORDS.get(sign);
    if (word === undefined) return this.#number();
    if (!this.#text.startsWith(word[0], this.at)) throw new JsonFault(this.at);
    this.at += word[0].length;
    return word[1];
  }

  #number(): unknown {
    const start = this.at;
    const end = this.#matchEnd(NUMBER);
    if (end === start) throw new JsonFault(start);
    this.at = end;
    const text = this.#text.slice(start, end);
    return this.#isExact ? numberOf(text) : Number(text);
  }

  #string(): string {
    const start = this.at;
    this.#expect('"');
    let isPlain = true;
    for (;;) {
      this.at = this.#matchEnd(PLAIN);
      const sign = this.#text[this.at];
      if (sign === '"') break;
      if (sign !== '\\') throw new JsonFault(this.at);
      isPlain = false;
      this.at += 2;
    }
    this.at += 1;
    if (isPlain) return this.#text.slice(start + 1, this.at - 1);
    return unescaped(this.#text.slice(start, this.at), start);
  }

  #matchEnd(pattern: RegExp): number {
    pattern.lastIndex = this.at;
    return pattern.test(this.#text) ? pattern.lastIndex : this.at;
  }

  #skip(): void {
    // Answers have no space: a comparison is quicker than a match.
    if (this.#text.charCodeAt(this.at) <= 32) this.at = this.#matchEnd(SPACE);
  }

  #take(sign: string): boolean {
    if (this.#text[this.at] !== sign) return false;
    this.at += 1;
    return true;
  }

  #expect(sign: string): void {
    if (!this.#take(sign)) throw new JsonFault(this.at);
  }
}

function add(frame: Frame, value: unknown): void {
  if (Array.isArray(frame.container)) frame.container.push(value);
  else setMember(frame.container, frame.key ?? '', value);
}

function unescaped(quoted: string, start: number): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    throw new JsonFault(start);
  }
}
