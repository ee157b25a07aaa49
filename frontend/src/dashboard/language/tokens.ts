/** Reads the smallest parts of a search text: words, quoted texts, values with operators and stars. */

import type { Fault, FaultCode } from './faults.ts';

export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What may end a value. */
const BARE = /[^\s,()"*]+/y;
const SPACE = /\s*/y;
const OPERATOR = />=|<=|[=~<>]/y;
const DELIMITER = /[\s,()]/;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', '"': '"', '\\': '\\', '/': '/' };

export type Operator = '' | '=' | '~' | '<' | '<=' | '>' | '>=';

/** A value as it is written. */
export interface RawValue {
  operator: Operator;
  text: string;
  /** Whether a part of it is quoted, so that it has no other meaning. */
  isQuoted: boolean;
  starsBefore: boolean;
  starsAfter: boolean;
  starsInside: boolean;
  start: number;
  end: number;
}

/** A text with the place that is read next, and the faults found before it. */
export class Scanner {
  at = 0;
  readonly faults: Fault[] = [];
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  /** Whether a value ends here. */
  get isAtDelimiter(): boolean {
    return this.isAtEnd || DELIMITER.test(this.text[this.at] ?? '');
  }

  fault(code: FaultCode, start: number, end: number, params: Record<string, string> = {}): void {
    this.faults.push({ code, start, end, params });
  }

  skipSpace(): void {
    this.match(SPACE);
  }

  take(text: string): boolean {
    if (!this.text.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  /** Read what a sticky pattern matches; undefined if it does not. */
  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  /** Whether a sticky pattern matches here. */
  sees(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    return pattern.test(this.text);
  }

  /** Read a quoted text, whose escapes are those of JSON. Other backslashes stand for themselves. */
  quoted(): string {
    const start = this.at;
    this.at += 1;
    let result = '';
    while (!this.isAtEnd) {
      const sign = this.text[this.at];
      if (sign === '"') {
        this.at += 1;
        return result;
      }
      result += sign === '\\' ? this.#escape() : sign;
      if (sign !== '\\') this.at += 1;
    }
    this.fault('quoteNotClosed', start, this.at);
    return result;
  }

  #escape(): string {
    const next = this.text[this.at + 1] ?? '';
    const known = ESCAPES[next];
    const code = /^[0-9a-f]{4}/i.exec(this.text.slice(this.at + 2, this.at + 6))?.[0];
    this.at += known !== undefined ? 2 : next === 'u' && code !== undefined ? 6 : 1;
    if (known !== undefined) return known;
    return next === 'u' && code !== undefined ? String.fromCharCode(Number.parseInt(code, 16)) : '\\';
  }

  /** Read a value up to a space, a comma or a parenthesis. */
  value(): RawValue {
    const start = this.at;
    const operator = (this.match(OPERATOR) ?? '') as Operator;
    const parts: string[] = [];
    const stars: number[] = [];
    let isQuoted = false;
    while (!this.isAtDelimiter) {
      const sign = this.text[this.at];
      if (sign === '*') stars.push(parts.length);
      isQuoted ||= sign === '"';
      parts.push(sign === '"' ? this.quoted() : this.#bareOrStar());
    }
    const last = parts.length - 1;
    return {
      operator,
      text: parts.filter((_, index) => !stars.includes(index)).join(''),
      isQuoted,
      starsBefore: stars.includes(0),
      starsAfter: stars.includes(last),
      starsInside: stars.some((index) => index > 0 && index < last),
      start,
      end: this.at,
    };
  }

  #bareOrStar(): string {
    return this.take('*') ? '' : (this.match(BARE) ?? '');
  }
}

/** The raw text of a value, for faults. */
export function rawText(scanner: Scanner, raw: { start: number; end: number }): string {
  return scanner.text.slice(raw.start, raw.end);
}

/** Write a text in quotes. */
export function quote(text: string): string {
  return JSON.stringify(text);
}

const SAFE = /^[^\s,()"*~=<>\\\p{Cc}\p{Cf}\p{Cs}][^\s,()"*\\\p{Cc}\p{Cf}\p{Cs}]*$/u;

/** Whether a text can be a value as it is. */
export function isBare(text: string): boolean {
  return SAFE.test(text);
}
