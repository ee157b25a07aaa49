/** Conditions on the payload: `payload.customer.id=cus_1042`, `payload.items[].sku=a-1`, `payload={"a":1}`. */

import { JsonFault, parseExactAt } from '../json/parse.ts';
import { ExactNumber, isArray, isObject, numberOf, setMember, type ExactValue } from '../json/value.ts';
import { writeExact } from '../json/write.ts';
import type { PayloadPath, PayloadTerm, Value } from './terms.ts';
import { isBare, quote, type Scanner } from './tokens.ts';

/** What begins a condition on the payload. */
export const PAYLOAD = /payload(?=[.[=:])/iy;
const NAME = /[\p{L}\p{N}_$@/+-]+/uy;
const WHOLE_NAME = /^[\p{L}\p{N}_$@/+-]+$/u;
const INDEX = /\[[0-9]*\]/y;
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const REST = /[^\s()]*/y;
const LITERALS = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['null', null],
]);
/** As deep as the API takes it. */
const MAX_DEPTH = 100;

/** Read the path after `payload`, and the sign after it. Null: there is a fault. */
export function readPath(scanner: Scanner, start: number): PayloadPath | null {
  const path: (string | null)[] = [];
  while (!scanner.take('=') && !scanner.take(':')) {
    const segment = readSegment(scanner);
    if (segment === undefined) {
      scanner.match(REST);
      scanner.fault('pathNotReadable', start, scanner.at);
      return null;
    }
    path.push(segment);
  }
  return path;
}

function readSegment(scanner: Scanner): string | null | undefined {
  const start = scanner.at;
  const index = scanner.match(INDEX);
  if (index !== undefined) {
    if (index !== '[]') scanner.fault('indexInPath', start, scanner.at);
    return null;
  }
  if (scanner.take('[')) {
    if (scanner.text[scanner.at] !== '"') return undefined;
    const name = scanner.quoted();
    return scanner.take(']') ? name : undefined;
  }
  if (!scanner.take('.')) return undefined;
  return scanner.text[scanner.at] === '"' ? scanner.quoted() : scanner.match(NAME);
}

/** Read a value: JSON, or a text without quotes. */
export function readPayloadValue(scanner: Scanner): Value | null {
  const sign = scanner.text[scanner.at];
  if (sign === '{' || sign === '[') return readJson(scanner);
  const raw = scanner.value();
  if (raw.starsBefore || raw.starsAfter || raw.starsInside) {
    scanner.fault('starNotAllowed', raw.start, raw.end);
    return null;
  }
  if (raw.operator !== '') {
    scanner.fault('operatorNotAllowed', raw.start, raw.start + raw.operator.length, { key: 'payload', operator: raw.operator });
    return null;
  }
  if (raw.text === '' && !raw.isQuoted) {
    scanner.fault('valueMissing', raw.start, raw.end, { key: 'payload' });
    return null;
  }
  return { kind: 'json', value: raw.isQuoted ? raw.text : literal(raw.text) };
}

function readJson(scanner: Scanner): Value | null {
  const start = scanner.at;
  try {
    const { value, end } = parseExactAt(scanner.text, start);
    scanner.at = end;
    if (scanner.isAtDelimiter && depthOf(value) <= MAX_DEPTH) return { kind: 'json', value };
  } catch (fault) {
    if (!(fault instanceof JsonFault)) throw fault;
  }
  scanner.match(REST);
  scanner.fault('jsonNotReadable', start, scanner.at);
  return null;
}

function literal(text: string): ExactValue {
  const word = LITERALS.get(text);
  if (word !== undefined) return word;
  return NUMBER.test(text) ? numberOf(text) : text;
}

function depthOf(value: ExactValue): number {
  let level: ExactValue[] = [value];
  let depth = 0;
  for (; level.length > 0; depth += 1) {
    level = level.flatMap((each) => (typeof each === 'object' && each !== null && !(each instanceof ExactNumber) ? Object.values(each) : []));
  }
  return depth;
}

/** A condition on the value at a path; a number in it is an index, and stands for any item. */
export function payloadTerm(path: readonly (string | number | null)[], value: ExactValue): PayloadTerm {
  const segments = path.map((segment) => (typeof segment === 'number' ? null : segment));
  return { kind: 'term', spec: 'payload', path: segments, values: [{ kind: 'json', value }] };
}

/** The value that the payload has to contain. */
export function documentOf(path: PayloadPath, value: ExactValue): ExactValue {
  return path.reduceRight<ExactValue>((inner, name) => {
    if (name === null) return [inner];
    const object: Record<string, ExactValue> = {};
    setMember(object, name, inner);
    return object;
  }, value);
}

/** The conditions that together are the same as that the payload contains a value: one for each leaf. */
export function payloadTerms(document: ExactValue, path: PayloadPath = []): PayloadTerm[] {
  if (isObject(document) && Object.keys(document).length > 0) {
    return Object.entries(document).flatMap(([name, value]) => payloadTerms(value, [...path, name]));
  }
  // Of a list with several items, each may be another item of the payload's list: so they stay together.
  const item = isArray(document) && document.length === 1 ? document[0] : undefined;
  return item === undefined ? [payloadTerm(path, document)] : inItem(item, path);
}

/** A condition on one item: not divided, since it is the same item that has to meet all of it. */
function inItem(item: ExactValue, path: PayloadPath): PayloadTerm[] {
  let value = item;
  const inner: (string | null)[] = [...path, null];
  for (;;) {
    const only: [string | null, ExactValue] | undefined = onlyChild(value);
    if (only === undefined) return [payloadTerm(inner, value)];
    inner.push(only[0]);
    value = only[1];
  }
}

function onlyChild(value: ExactValue): [string | null, ExactValue] | undefined {
  if (isArray(value)) return value.length === 1 ? [null, value[0] ?? null] : undefined;
  const entries = isObject(value) ? Object.entries(value) : [];
  return entries.length === 1 ? entries[0] : undefined;
}

/** Write a path with the sign after it: `payload.items[].sku=`. */
export function writePath(path: PayloadPath): string {
  const segments = path.map((name) => (name === null ? '[]' : `.${WHOLE_NAME.test(name) ? name : quote(name)}`));
  return `payload${segments.join('')}=`;
}

/** Write a value so that it is read as the same. */
export function writePayloadValue(value: ExactValue): string {
  if (typeof value !== 'string') return writeExact(value);
  const isPlain = isBare(value) && literal(value) === value && !/^[{[]/.test(value);
  return isPlain ? value : quote(value);
}
