/** Writes conditions as a search text, which is read as the same conditions. */

import { writeDuration } from '../time/durations.ts';
import type { KeySpec } from './keys.ts';
import { writePath, writePayloadValue } from './payload.ts';
import { writeTimes } from './times.ts';
import { isEverything, type Expr, type Term, type Value } from './terms.ts';
import { isBare, quote, UUID } from './tokens.ts';
import { wordOf, type Names } from './values.ts';

const WORD = /^[\p{L}\p{N}_.@/#$%+][\p{L}\p{N}_.@/#$%+-]*$/u;
const SPECIAL = /^(?:OR|AND|NOT|payload[.[=:].*)$/i;

/** Write conditions. Those that always hold are an empty text. */
export function writeExpr(expr: Expr, names: Names = {}): string {
  return isEverything(expr) ? '' : written(expr, names);
}

function written(expr: Expr, names: Names): string {
  if (expr.kind === 'term') return writeTerm(expr, names);
  if (expr.kind === 'not') return `-${grouped(expr.of, names, expr.of.kind !== 'term')}`;
  const isAll = expr.kind === 'all';
  if (expr.of.length === 0) return isAll ? '()' : '-()';
  const parts = expr.of.map((each) => grouped(each, names, each.kind === (isAll ? 'any' : 'all')));
  return parts.join(isAll ? ' ' : ' OR ');
}

function grouped(expr: Expr, names: Names, hasParentheses: boolean): string {
  const text = written(expr, names);
  return hasParentheses && text !== '()' ? `(${text})` : text;
}

/** Write a term: `type:email.send,email.*`. */
export function writeTerm(term: Term, names: Names = {}): string {
  const { spec, values } = term;
  if (spec === 'search') return values.map(searchText).join(' ');
  if (spec === 'payload') {
    const texts = values.map((value) => (value.kind === 'json' ? writePayloadValue(value.value) : ''));
    return `${writePath(term.path)}${texts.join(',')}`;
  }
  return `${spec.key}:${values.map((value) => writeValue(spec, value, names)).join(',')}`;
}

function searchText(value: Value): string {
  const text = value.kind === 'text' ? value.text : '';
  return WORD.test(text) && !SPECIAL.test(text) && !UUID.test(text) ? text : quote(text);
}

/** Write a value of a key. */
export function writeValue(spec: KeySpec, value: Value, names: Names = {}): string {
  switch (value.kind) {
    case 'null':
      return 'none';
    case 'notNull':
      return '*';
    case 'integer':
      return String(value.eq);
    case 'integers':
      return rangeText(value.gte, value.lte, '<=', String);
    case 'seconds':
      return rangeText(value.gte, value.lt, '<', writeDuration);
    case 'longer':
      return `>${writeDuration(value.seconds)}`;
    case 'times':
      return quotedTimes(writeTimes(value));
    case 'text':
      return spec.kind === 'text' ? textValue(spec, value) : wordText(spec, value.text, names);
    case 'json':
      return writePayloadValue(value.value);
  }
}

function rangeText(
  from: number | undefined,
  until: number | undefined,
  upTo: string,
  write: (value: number) => string,
): string {
  if (from !== undefined && until !== undefined) return `${write(from)}..${write(until)}`;
  return from === undefined ? `${upTo}${write(until ?? 0)}` : `>=${write(from)}`;
}

/** RFC 3339 allows a space, which would end the value. */
function quotedTimes(text: string): string {
  return text.includes(' ') ? text.replace(/^([<>]=?)?(.*)$/, (_, sign: string = '', times: string) => sign + quote(times)) : text;
}

function textValue(spec: KeySpec & { kind: 'text' }, value: Value & { kind: 'text' }): string {
  const { operator, text } = value;
  const isSearched = spec.isSearched === true;
  const bare = isBare(text) ? text : quote(text);
  if (operator === 'startsWith') return `${bare}*`;
  if (operator === 'contains') return `*${bare}*`;
  const sign = operator === 'eq' ? (isSearched ? '=' : '') : isSearched ? '' : '~';
  return sign === '' && text === 'none' ? quote(text) : sign + bare;
}

function wordText(spec: KeySpec, text: string, names: Names): string {
  if (spec.kind === 'status' || spec.kind === 'health') return wordOf(text);
  if (spec.kind !== 'id') return isBare(text) ? text : quote(text);
  const name = spec.key === 'source' ? names.sources?.find(({ id }) => id === text)?.name : undefined;
  if (name !== undefined && !UUID.test(name)) return isBare(name) ? name : quote(name);
  return text.slice(spec.prefix.length);
}
