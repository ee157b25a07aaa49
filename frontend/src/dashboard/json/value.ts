/** JSON values with numbers of any size: what a double does not hold is kept as its text. */

/** A number as it was written. `JSON.stringify` writes it with every digit where the browser can. */
export class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }

  /** For `JSON.stringify`; `writeExact` does not depend on what the browser can. */
  toJSON(): unknown {
    const { rawJSON } = JSON as { rawJSON?: (text: string) => unknown };
    return rawJSON === undefined ? Number(this.text) : rawJSON(this.text);
  }
}

export type ExactValue =
  | null
  | boolean
  | number
  | string
  | ExactNumber
  | readonly ExactValue[]
  | ExactObject;

export interface ExactObject {
  readonly [key: string]: ExactValue;
}

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

/** The type of a value, as JSON names it. */
export function kindOf(value: ExactValue): JsonKind {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (value instanceof ExactNumber) return 'number';
  const type = typeof value;
  return type === 'string' || type === 'number' || type === 'boolean' ? type : 'object';
}

export function isArray(value: ExactValue): value is readonly ExactValue[] {
  return Array.isArray(value);
}

export function isObject(value: ExactValue): value is ExactObject {
  return kindOf(value) === 'object';
}

/** The number that a text writes: a double if that is written in the same way, else exact. */
export function numberOf(text: string): number | ExactNumber {
  const double = Number(text);
  return String(double) === text ? double : new ExactNumber(text);
}

/** Set a member; a plain assignment to `__proto__` would change the prototype. */
export function setMember(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
}
