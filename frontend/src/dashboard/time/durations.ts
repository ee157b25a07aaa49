/** Durations in seconds: as people read them, and as the search language writes them. */

/** The units of the search language in seconds, the longest first. */
const UNITS: readonly (readonly [unit: string, seconds: number])[] = [
  ['w', 604_800],
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
  ['ms', 0.001],
];

const SECONDS: ReadonlyMap<string, number> = new Map([...UNITS, ['min', 60], ['sec', 1]]);

const PART = /([0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)\s*([a-z]+)\s*/y;

/** Read `5m`, `1h30m`, `250ms`, `3 min 4 s`; a number without a unit is in seconds. Null: not a duration. */
export function parseDuration(text: string): number | null {
  const trimmed = text.trim().toLowerCase();
  const sign = trimmed.startsWith('-') ? -1 : 1;
  const body = trimmed.replace(/^[+-]\s*/, '');
  if (/^[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?$/.test(body)) return finite(sign * Number(body));
  return body === '' ? null : finite(sign * sumOfParts(body));
}

function sumOfParts(body: string): number {
  let seconds = 0;
  PART.lastIndex = 0;
  while (PART.lastIndex < body.length) {
    const part = PART.exec(body);
    const unit = SECONDS.get(part?.[2] ?? '');
    if (part === null || unit === undefined) return Number.NaN;
    seconds += inSeconds(Number(part[1]), unit);
  }
  return seconds;
}

/** Dividing by 1,000 is rounded correctly; multiplying by 0.001 is not. */
function inSeconds(value: number, unit: number): number {
  return unit < 1 ? value / 1_000 : value * unit;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value + 0 : null;
}

/** Write a duration so that `parseDuration` reads exactly the same number: `5m`, `90s`, `250ms`. */
export function writeDuration(seconds: number): string {
  for (const [unit, size] of UNITS) {
    const value = unit === 'ms' ? seconds * 1_000 : seconds / size;
    const text = `${value}${unit}`;
    if (Number.isInteger(value) && value !== 0 && parseDuration(text) === seconds) return text;
  }
  return `${seconds + 0}s`;
}

/** The units of `formatDuration` that are shown in pairs, the longest first. */
const PAIRS: readonly (readonly [unit: string, seconds: number, lesser: string, lesserSeconds: number])[] = [
  ['d', 86_400, 'h', 3_600],
  ['h', 3_600, 'min', 60],
  ['min', 60, 's', 1],
];

/** Write a duration for people: `412 ms`, `1.2 s`, `3 min 4 s`, `2 d 3 h`. */
export function formatDuration(seconds: number, locale = 'en'): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 0) return `−${formatDuration(-seconds, locale)}`;
  if (seconds < 0.9995) return shortOf(seconds * 1_000, 'ms', seconds < 0.00995 ? 1 : 0, locale);
  if (seconds < 59.5) return shortOf(seconds, 's', seconds < 9.95 ? 1 : 0, locale);
  return pairOf(seconds, locale);
}

function shortOf(value: number, unit: string, digits: number, locale: string): string {
  return `${formatOf(locale, digits).format(value)} ${unit}`;
}

function pairOf(seconds: number, locale: string): string {
  const number = formatOf(locale, 0);
  for (const [unit, size, lesser, lesserSize] of PAIRS) {
    const rounded = Math.round(seconds / lesserSize) * lesserSize;
    if (rounded < size) continue;
    const rest = Math.round((rounded % size) / lesserSize);
    const whole = `${number.format(Math.floor(rounded / size))} ${unit}`;
    return rest === 0 ? whole : `${whole} ${rest} ${lesser}`;
  }
  return shortOf(seconds, 's', 0, locale);
}

// A format takes long to make: lists write a duration several times a row.
const formats = new Map<string, Intl.NumberFormat>();

function formatOf(locale: string, digits: number): Intl.NumberFormat {
  const key = `${locale} ${digits}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const made = new Intl.NumberFormat(locale, { maximumFractionDigits: digits });
  formats.set(key, made);
  return made;
}
