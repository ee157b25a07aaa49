/** Reads the values of each kind of key. Null: there is a fault. */

import { parseDuration } from '../time/durations.ts';
import { STATUSES, VERDICTS } from './job-filter.ts';
import type { KeySpec } from './keys.ts';
import { readTimes } from './times.ts';
import type { TextOperator, Value } from './terms.ts';
import { rawText, UUID, type Operator, type RawValue, type Scanner } from './tokens.ts';

/** The sources of the organisation, so that they can be named. */
export interface Names {
  sources?: readonly { id: string; name: string }[];
}

const MAX_INT = 2_147_483_647;

/** Other words for a status. */
const STATUS_WORDS: Readonly<Record<string, string>> = {
  dead: 'DEAD_LETTER',
  deadlettered: 'DEAD_LETTER',
  cancelled: 'CANCELED',
};

/** The word for a status or a verdict in the search language. */
export function wordOf(value: string): string {
  return value === 'DEAD_LETTER' ? 'dead' : value.toLowerCase();
}

/** Read a value of a key. */
export function readValue(scanner: Scanner, spec: KeySpec, names: Names): Value | null {
  const raw = scanner.value();
  if (isMissing(raw)) {
    scanner.fault('valueMissing', raw.start, raw.end, { key: spec.key });
    return null;
  }
  const isStar = raw.starsBefore && raw.text === '' && !raw.isQuoted;
  const canBeNull = spec.kind === 'text' || spec.kind === 'time';
  if (canBeNull && raw.operator === '' && isStar) return { kind: 'notNull' };
  if (spec.kind === 'text') return textValue(scanner, spec, raw);
  if (raw.starsBefore || raw.starsAfter || raw.starsInside) {
    scanner.fault('starNotAllowed', raw.start, raw.end);
    return null;
  }
  return plainValue(scanner, spec, raw, names);
}

function isMissing(raw: RawValue): boolean {
  return raw.text === '' && !raw.isQuoted && !raw.starsBefore;
}

function plainValue(scanner: Scanner, spec: KeySpec, raw: RawValue, names: Names): Value | null {
  switch (spec.kind) {
    case 'integer':
      return integerValue(scanner, raw);
    case 'time':
      return timeValue(scanner, spec, raw);
    case 'seconds':
    case 'longer':
      return durationValue(scanner, spec, raw);
    default:
      return allows(scanner, spec, raw, ['', '=']) ? wordValue(scanner, spec, raw, names) : null;
  }
}

function allows(scanner: Scanner, spec: KeySpec, raw: RawValue, allowed: readonly Operator[]): boolean {
  if (allowed.includes(raw.operator)) return true;
  const end = raw.start + raw.operator.length;
  scanner.fault('operatorNotAllowed', raw.start, end, { key: spec.key, operator: raw.operator });
  return false;
}

function textValue(scanner: Scanner, spec: KeySpec & { kind: 'text' }, raw: RawValue): Value | null {
  if (!allows(scanner, spec, raw, ['', '=', '~'])) return null;
  const { operator, text, starsBefore, starsAfter, starsInside } = raw;
  const hasStars = starsBefore || starsAfter || starsInside;
  if (hasStars && operator !== '') {
    scanner.fault('starNotAllowed', raw.start, raw.end);
    return null;
  }
  if (starsInside || (starsBefore && !starsAfter)) {
    scanner.fault('starAtWrongPlace', raw.start, raw.end);
    return null;
  }
  if (operator === '' && text === 'none' && !raw.isQuoted && !hasStars) return { kind: 'null' };
  if (hasStars) return textOf(starsBefore ? 'contains' : 'startsWith', text);
  const isSearched = operator === '~' || (operator === '' && spec.isSearched === true);
  return textOf(isSearched ? 'containsIgnoreCase' : 'eq', text);
}

function textOf(operator: TextOperator, text: string): Value {
  return { kind: 'text', operator, text };
}

function integerValue(scanner: Scanner, raw: RawValue): Value | null {
  const { operator, text } = raw;
  const [from, until] = text.includes('..') ? text.split('..', 2) : [text, text];
  const bounds = [from, until].map((each) => (/^[+-]?[0-9]+$/.test(each ?? '') ? Number(each) : null));
  const isRange = text.includes('..');
  const isOpen = isRange && (from === '') !== (until === '');
  const isNumber = isOpen ? bounds.some((each) => each !== null) : bounds.every((each) => each !== null);
  if (!isNumber || (isRange && operator !== '') || operator === '~') {
    scanner.fault('notANumber', raw.start, raw.end, { value: rawText(scanner, raw) });
    return null;
  }
  const value = isRange ? integersOf(bounds[0], bounds[1]) : comparedInteger(operator, bounds[0] ?? 0);
  if (isInt(value)) return value;
  scanner.fault('numberTooLarge', raw.start, raw.end, { value: text });
  return null;
}

function comparedInteger(operator: Operator, number: number): Value {
  if (operator === '>') return integersOf(number + 1, null);
  if (operator === '>=') return integersOf(number, null);
  if (operator === '<') return integersOf(null, number - 1);
  if (operator === '<=') return integersOf(null, number);
  return { kind: 'integer', eq: number + 0 };
}

function integersOf(gte: number | null | undefined, lte: number | null | undefined): Value {
  const from = gte === null || gte === undefined ? {} : { gte: gte + 0 };
  return { kind: 'integers', ...from, ...(lte === null || lte === undefined ? {} : { lte: lte + 0 }) };
}

function isInt(value: Value): boolean {
  const numbers = value.kind === 'integer' ? [value.eq] : value.kind === 'integers' ? [value.gte ?? 0, value.lte ?? 0] : [];
  return numbers.every((each) => each >= -MAX_INT - 1 && each <= MAX_INT);
}

function timeValue(scanner: Scanner, spec: KeySpec, raw: RawValue): Value | null {
  if (raw.operator === '' && raw.text === 'none' && !raw.isQuoted) return { kind: 'null' };
  if (!allows(scanner, spec, raw, ['', '>', '>=', '<', '<='])) return null;
  const value = readTimes(raw.operator, raw.text);
  if (value === null) scanner.fault('notATime', raw.start, raw.end, { value: rawText(scanner, raw) });
  return value;
}

function durationValue(scanner: Scanner, spec: KeySpec, raw: RawValue): Value | null {
  const isLonger = spec.kind === 'longer';
  if (!allows(scanner, spec, raw, isLonger ? ['', '>'] : ['', '>', '>=', '<'])) return null;
  const value = isLonger ? longerOf(parseDuration(raw.text)) : secondsOf(raw);
  if (value === null) scanner.fault('notADuration', raw.start, raw.end, { value: rawText(scanner, raw) });
  return value;
}

function longerOf(seconds: number | null): Value | null {
  return seconds === null || seconds < 0 ? null : { kind: 'longer', seconds };
}

function secondsOf({ operator, text }: RawValue): Value | null {
  const dots = text.indexOf('..');
  if (dots < 0) {
    const seconds = parseDuration(text);
    // A duration is never exactly so long: more than it and at least it are the same.
    return seconds === null ? null : operator === '<' ? { kind: 'seconds', lt: seconds } : { kind: 'seconds', gte: seconds };
  }
  const [gte, lt] = [parseDuration(text.slice(0, dots)), parseDuration(text.slice(dots + 2))];
  return gte === null || lt === null || operator !== '' ? null : { kind: 'seconds', gte, lt };
}

function wordValue(scanner: Scanner, spec: KeySpec, raw: RawValue, names: Names): Value | null {
  const { text } = raw;
  if (spec.kind === 'tag') return textOf('eq', text);
  if (spec.kind === 'status') return oneOf(scanner, spec, raw, STATUSES, STATUS_WORDS);
  if (spec.kind === 'health') return oneOf(scanner, spec, raw, VERDICTS, {});
  const named = spec.key === 'source' ? names.sources?.find(({ name }) => name === text)?.id : undefined;
  if (named !== undefined) return textOf('eq', named);
  const prefix = spec.kind === 'id' ? spec.prefix : '';
  const id = text.startsWith(prefix) ? text.slice(prefix.length) : text;
  if (UUID.test(id)) return textOf('eq', prefix + id.toLowerCase());
  scanner.fault(spec.key === 'source' ? 'unknownSource' : 'notAnId', raw.start, raw.end, { value: text });
  return null;
}

function oneOf(
  scanner: Scanner,
  spec: KeySpec,
  raw: RawValue,
  known: readonly string[],
  others: Readonly<Record<string, string>>,
): Value | null {
  const word = raw.text.toLowerCase();
  const found = Object.hasOwn(others, word) ? others[word] : known.find((each) => each === word.replace('-', '_').toUpperCase());
  if (found !== undefined) return textOf('eq', found);
  const possible = known.map(wordOf).join(', ');
  scanner.fault('unknownValue', raw.start, raw.end, { key: spec.key, value: raw.text, possible });
  return null;
}
