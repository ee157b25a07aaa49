/** Times relative to now: `3 min. ago`. */

type Unit = 'second' | 'minute' | 'hour' | 'day' | 'month' | 'year';

const UNITS: readonly (readonly [unit: Unit, seconds: number])[] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

const formats = new Map<string, Intl.RelativeTimeFormat>();

/** Write how long ago, or in how long, an instant is; both are in milliseconds. */
export function relativeTime(instant: number, now: number, locale: string): string {
  const [unit, value] = relativePart((instant - now) / 1_000);
  return formatOf(locale).format(value, unit);
}

/** In how many milliseconds `relativeTime` of an instant may change. */
export function relativeTimeLasts(instant: number, now: number): number {
  const [unit] = relativePart((instant - now) / 1_000);
  const seconds = UNITS.find(([each]) => each === unit)?.[1] ?? 1;
  const age = Math.abs(instant - now);
  const step = Math.min(seconds, 3_600) * 1_000;
  return Math.max(1_000, instant > now ? age % step : step - (age % step));
}

/** The largest unit of which it is at least one, and how many whole ones. */
function relativePart(seconds: number): [Unit, number] {
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return [unit, Math.trunc(seconds / size)];
  }
  return ['second', 0];
}

function formatOf(locale: string): Intl.RelativeTimeFormat {
  const known = formats.get(locale);
  if (known !== undefined) return known;
  const made = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
  formats.set(locale, made);
  return made;
}
