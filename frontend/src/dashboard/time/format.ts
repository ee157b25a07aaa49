/** Times as people read them: with the zone that was chosen, 24 hours a day. */

import { localTimeAt, offsetText } from './zones.ts';

export interface TimeStyle {
  locale: string;
  /** A zone of the IANA database, such as `Asia/Kathmandu`. */
  zone: string;
}

/** What is shown of a time: a date and seconds, without seconds, without the year, or a part of it. */
export type TimeParts = 'full' | 'minutes' | 'short' | 'date' | 'time' | 'milliseconds';

const CLOCK = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
const SECONDS = { ...CLOCK, second: '2-digit' } as const;
const DAY = { month: 'short', day: 'numeric' } as const;
const OPTIONS: Record<TimeParts, Intl.DateTimeFormatOptions> = {
  full: { ...DAY, ...SECONDS, year: 'numeric' },
  minutes: { ...DAY, ...CLOCK, year: 'numeric' },
  short: { ...DAY, ...CLOCK },
  date: { ...DAY, year: 'numeric' },
  time: SECONDS,
  milliseconds: { ...DAY, ...SECONDS, year: 'numeric', fractionalSecondDigits: 3 },
};

const formats = new Map<string, Intl.DateTimeFormat>();

/** Write a time: `Nov 26, 2026, 14:02:05`. */
export function formatTime(time: number | string, style: TimeStyle, parts: TimeParts = 'full'): string {
  const instant = instantOfTime(time);
  return Number.isNaN(instant) ? '–' : formatOf(style, parts).format(instant);
}

/** Write a time with its distance from UTC, for titles and for copying: `Nov 26, 2026, 14:02:05 UTC+05:45`. */
export function formatWithZone(time: number | string, style: TimeStyle): string {
  const instant = instantOfTime(time);
  if (Number.isNaN(instant)) return '–';
  return `${formatTime(instant, style, 'milliseconds')} ${offsetText(instant, style.zone)}`;
}

/** Write a time as short as today allows: the time of day alone if it is on the same day. */
export function formatBriefly(time: number | string, now: number, style: TimeStyle): string {
  const instant = instantOfTime(time);
  if (Number.isNaN(instant)) return '–';
  const [then, today] = [localTimeAt(instant, style.zone), localTimeAt(now, style.zone)];
  if (then.year !== today.year) return formatTime(instant, style, 'minutes');
  const isToday = then.month === today.month && then.day === today.day;
  return formatTime(instant, style, isToday ? 'time' : 'short');
}

/** The value of a field of the type `datetime-local`: the time in the zone, without it. */
export function localInputText(instant: number, zone: string): string {
  return new Date(instant + utcDistance(instant, zone)).toISOString().slice(0, 19);
}

/** An instant in milliseconds of a time of the API, or of one. */
export function instantOfTime(time: number | string): number {
  return typeof time === 'number' ? time : Date.parse(time);
}

function utcDistance(instant: number, zone: string): number {
  const { year, month, day, hour, minute, second, millisecond } = localTimeAt(instant, zone);
  return Date.UTC(year, month - 1, day, hour, minute, second, millisecond) - instant;
}

function formatOf({ locale, zone }: TimeStyle, parts: TimeParts): Intl.DateTimeFormat {
  const key = `${locale} ${zone} ${parts}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat(locale, { ...OPTIONS[parts], timeZone: zone });
  formats.set(key, made);
  return made;
}
