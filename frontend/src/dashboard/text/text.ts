// Words in the language that was chosen, and numbers as it writes them.
import { settings } from '../settings/settings';
import { en } from './en';

export type Key = keyof typeof en;
type Plural<K> = K extends `${infer Stem}.one` ? Stem : never;
export type Catalogue = Record<Key, string>;
export type Values = Record<string, string | number>;

let words: Catalogue = en;
export const language = settings.language;

/** Loads the words of the chosen language. To be awaited before anything is shown. */
export async function loadText(): Promise<void> {
  document.documentElement.lang = language;
  if (language === 'de') words = (await import('./de')).de;
}

export function t(key: Key, values: Values = {}): string {
  return words[key].replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? number(value) : value;
  });
}

const plurals = new Intl.PluralRules(language);

/** The words for a count: `.one` or `.other` of a key. */
export function counted(stem: Plural<Key>, count: number, shown = number(count)): string {
  const form = plurals.select(count) === 'one' ? 'one' : 'other';
  return t(`${stem}.${form}` as Key, { count: shown });
}

/** The words for a key that is made at run time, such as a code; `other` if there are none. */
export function tIfAny(key: string, other: string, values: Values = {}): string {
  return key in words ? t(key as Key, values) : other;
}

const numbers = new Intl.NumberFormat(language);
const compact = new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 });
const percents = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 });

export const number = (value: number): string => numbers.format(value);
export const compactNumber = (value: number): string => compact.format(value);
export const percent = (share: number): string => percents.format(share);

export interface Count {
  value: number;
  isExact: boolean;
}

/** A count that may have stopped at a maximum: `10,000+`. */
export function countText({ value, isExact }: Count): string {
  return isExact ? number(value) : t('count.atLeast', { count: value });
}
