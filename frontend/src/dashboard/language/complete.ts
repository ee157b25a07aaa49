/** What can come next in a search text at the caret. */

import { VERDICTS, STATUSES, type SuggestField } from './job-filter.ts';
import { KEYS, keyNamed, type KeySpec } from './keys.ts';
import { isBare, quote } from './tokens.ts';
import { wordOf, type Names } from './values.ts';

/** Something to put in. */
export interface Option {
  kind: 'key' | 'value';
  /** What the text gets. */
  text: string;
  /** What is shown for it, where that differs. */
  label?: string;
}

export interface Completion {
  /** What an option replaces. */
  from: number;
  to: number;
  /** The key whose value is written; null if it is a key or free text. */
  key: string | null;
  options: readonly Option[];
  /** Where to ask for more values, which `valueOption` makes options of. */
  suggest: { field: SuggestField; prefix: string } | null;
}

const BOUNDARY = /[\s()]/;
const TIMES = ['-1h', '-24h', '-7d', '-30d', 'today', 'yesterday', '-7d..-1d'];
const FUTURE_TIMES = ['+1h', '+24h', 'tomorrow'];
const NULLABLE_TIMES = new Set(['scheduled', 'started', 'finished']);
const EXAMPLES: Readonly<Partial<Record<KeySpec['kind'], readonly string[]>>> = {
  longer: ['>1m', '>5m', '>1h', '>24h'],
  seconds: ['>1s', '>10s', '>1m', '<1s', '1s..10s'],
  integer: ['0', '1', '>1', '>2', '1..5'],
};

/** Find out what is written at the caret, and what it can become. */
export function complete(text: string, caret: number, names: Names = {}): Completion {
  const { start, end } = wordAt(text, caret);
  const written = text.slice(start, caret);
  const colon = /^([A-Za-z][A-Za-z0-9_]*):/.exec(written);
  const spec = colon === null ? undefined : keyNamed(colon[1] ?? '');
  if (colon !== null && spec !== undefined) return valueCompletion(text, caret, start + colon[0].length, end, spec, names);
  const isKey = /^[A-Za-z]*$/.test(written);
  return { from: start, to: end, key: null, options: isKey ? keyOptions(written) : [], suggest: null };
}

/** The text after an option was taken, and where the caret is then. */
export function applied(text: string, { from, to }: Completion, option: Option): { text: string; caret: number } {
  const isDone = option.kind === 'value' && !/^[\s,)]/.test(text.slice(to));
  const inserted = option.text + (isDone ? ' ' : '');
  return { text: text.slice(0, from) + inserted + text.slice(to), caret: from + inserted.length };
}

/** The option for a value that the API suggested. */
export function valueOption(value: string): Option {
  const isPlain = isBare(value) && value !== 'none';
  return isPlain ? { kind: 'value', text: value } : { kind: 'value', text: quote(value), label: value };
}

/** The word that the caret is in, or at the end of; without a `-` before it. */
function wordAt(text: string, caret: number): { start: number; end: number } {
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < caret; at += 1) {
    const sign = text[at] ?? '';
    if (sign === '\\' && isQuoted) at += 1;
    else if (sign === '"') isQuoted = !isQuoted;
    else if (!isQuoted && BOUNDARY.test(sign)) start = at + 1;
  }
  if (text[start] === '-' && start < caret) start += 1;
  return { start, end: endOf(text, caret, isQuoted) };
}

function endOf(text: string, caret: number, isQuoted: boolean): number {
  let at = caret;
  while (at < text.length && (isQuoted || !/[\s(),]/.test(text[at] ?? ''))) {
    if (text[at] === '"') isQuoted = !isQuoted;
    at += 1;
  }
  // A quotation mark that is not closed takes in all that follows: only what is before the caret counts then.
  return isQuoted ? caret : at;
}

function keyOptions(written: string): Option[] {
  const prefix = written.toLowerCase();
  const names = [...KEYS.map(({ key }) => key), 'payload'];
  const own = names.filter((key) => key.startsWith(prefix));
  const aliased = KEYS.filter(({ key, aliases }) => !key.startsWith(prefix) && aliases?.some((alias) => alias.startsWith(prefix)));
  return [...own, ...aliased.map(({ key }) => key)].map((key) => ({ kind: 'key', text: key === 'payload' ? 'payload.' : `${key}:` }));
}

function valueCompletion(text: string, caret: number, first: number, end: number, spec: KeySpec, names: Names): Completion {
  const values = splitValues(text.slice(first, caret));
  const typed = values.at(-1) ?? '';
  const prefix = typed.replace(/^[=~]/, '').replace(/^"/, '').replace(/"$/, '');
  const others = values.slice(0, -1);
  const options = optionsOf(spec, names).filter(
    ({ text: value, label = value }) => startsWith(label, prefix) && !others.includes(value),
  );
  const suggest = spec.suggest === undefined || typed.startsWith('*') ? null : { field: spec.suggest, prefix };
  return { from: caret - typed.length, to: end, key: spec.key, options, suggest };
}

function startsWith(value: string, prefix: string): boolean {
  return value.toLowerCase().startsWith(prefix.toLowerCase());
}

/** Split at commas outside of quotes. */
function splitValues(list: string): string[] {
  const values = [''];
  let isQuoted = false;
  for (let at = 0; at < list.length; at += 1) {
    const sign = list[at] ?? '';
    if (sign === '"') isQuoted = !isQuoted;
    if (sign === ',' && !isQuoted) values.push('');
    else values[values.length - 1] += sign === '\\' && isQuoted ? sign + (list[(at += 1)] ?? '') : sign;
  }
  return values;
}

function optionsOf(spec: KeySpec, names: Names): Option[] {
  if (spec.kind === 'status' || spec.kind === 'health') {
    return (spec.kind === 'status' ? STATUSES : VERDICTS).map((value) => ({ kind: 'value', text: wordOf(value) }));
  }
  if (spec.key === 'source') return (names.sources ?? []).map(({ name }) => valueOption(name));
  return fixedValues(spec).map((text) => ({ kind: 'value', text }));
}

function fixedValues(spec: KeySpec): readonly string[] {
  if (spec.kind === 'text') return spec.field === 'type' || spec.field === 'queue' ? [] : ['none'];
  if (spec.kind !== 'time') return EXAMPLES[spec.kind] ?? [];
  const others = spec.key === 'scheduled' ? FUTURE_TIMES : [];
  return [...TIMES, ...others, ...(NULLABLE_TIMES.has(spec.key) ? ['none'] : [])];
}
