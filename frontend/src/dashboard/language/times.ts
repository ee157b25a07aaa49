/** Times of the search language: `-24h`, `today`, `2026-01-31`, `-7d..-1d`, `>=2026-01-31T09:30:00Z`. */

import { parseDuration, writeDuration } from '../time/durations.ts';
import { instantOf, startOfDay, utcOf, type LocalTime } from '../time/zones.ts';
import type { Operator } from './tokens.ts';
import type { Moment, Times, Value } from './terms.ts';

/** A moment as it is written, which may be a whole day: `until` is where it ends then. */
interface Written {
  from: Moment;
  until?: Moment;
}

const INSTANT = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
const LOCAL = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d))?)?$/;
const DAYS: Readonly<Record<string, number>> = { yesterday: -1, today: 0, tomorrow: 1 };
/** Within it, all times are in the years that a DateTime can have. */
const MOST_SECONDS = 1_000 * 366 * 86_400;

/** Read a time or a range. Null: it is none. */
export function readTimes(operator: Operator, text: string): Value | null {
  const dots = text.indexOf('..');
  if (dots < 0) return oneTime(operator, text);
  const [from, until] = [readMoment(text.slice(0, dots)), readMoment(text.slice(dots + 2))];
  const isOpenFrom = dots === 0;
  const isOpenUntil = dots + 2 === text.length;
  const isFaulty = (from === null && !isOpenFrom) || (until === null && !isOpenUntil);
  if (isFaulty || (isOpenFrom && isOpenUntil) || operator !== '') return null;
  // The end of a range of days is a day that is in it.
  return timesOf(from?.from, until?.until ?? until?.from);
}

function oneTime(operator: Operator, text: string): Value | null {
  const written = readMoment(text);
  if (written === null) return null;
  const { from, until } = written;
  if (operator === '>=') return timesOf(from);
  if (operator === '>') return timesOf(until ?? from);
  if (operator === '<') return timesOf(undefined, from);
  if (operator === '<=') return timesOf(undefined, until ?? from);
  if (until !== undefined) return timesOf(from, until);
  if (from.kind === 'relative' && from.seconds > 0) return timesOf({ kind: 'relative', seconds: 0 }, from);
  // Nothing happens at one instant: a time alone is where a range begins.
  return timesOf(from);
}

/** A range of times, without members for open ends. */
export function timesOf(from?: Moment, until?: Moment): Times {
  return { kind: 'times', ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) };
}

function readMoment(text: string): Written | null {
  const days = DAYS[text.toLowerCase()];
  if (days !== undefined) return { from: { kind: 'day', days }, until: { kind: 'day', days: days + 1 } };
  if (text.toLowerCase() === 'now') return { from: { kind: 'relative', seconds: 0 } };
  if (/^[+-].*[a-z]$/i.test(text)) return relativeMoment(text);
  return isInstant(text) ? { from: { kind: 'instant', text } } : localMoment(text);
}

function relativeMoment(text: string): Written | null {
  const seconds = parseDuration(text);
  if (seconds === null || Math.abs(seconds) > MOST_SECONDS) return null;
  return { from: { kind: 'relative', seconds } };
}

/** Whether a text is an RFC 3339 time that the API takes. */
function isInstant(text: string): boolean {
  const parts = INSTANT.exec(text);
  if (parts === null || Number.isNaN(Date.parse(text.toUpperCase().replace(' ', 'T')))) return false;
  const local = localOf(parts);
  const offset = /([+-])(\d\d):(\d\d)$/.exec(text);
  const isRange = offset === null || (Number(offset[2]) < 24 && Number(offset[3]) < 60);
  return isRange && isInCalendar(local);
}

function localMoment(text: string): Written | null {
  const parts = LOCAL.exec(text);
  if (parts === null) return null;
  const local = localOf(parts);
  if (!isInCalendar(local)) return null;
  const from: Moment = { kind: 'local', local };
  if (parts[4] !== undefined) return { from };
  return { from, until: { kind: 'local', local: nextDay(local) } };
}

function localOf(parts: RegExpExecArray): LocalTime {
  const number = (index: number): number => Number(parts[index] ?? 0);
  return { year: number(1), month: number(2), day: number(3), hour: number(4), minute: number(5), second: number(6) };
}

function isInCalendar(local: LocalTime): boolean {
  const shown = new Date(utcOf(local)).toISOString().slice(0, 19);
  return shown === localText(local) && local.year > 0;
}

function nextDay({ year, month, day }: LocalTime): LocalTime {
  const date = new Date(utcOf({ year, month, day: day + 1 }));
  const next = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
  return { ...next, hour: 0, minute: 0, second: 0 };
}

function localText({ year, month, day, hour = 0, minute = 0, second = 0 }: LocalTime): string {
  const digits = (number: number, length = 2): string => String(number).padStart(length, '0');
  return `${digits(year, 4)}-${digits(month)}-${digits(day)}T${digits(hour)}:${digits(minute)}:${digits(second)}`;
}

/** Write a range of times so that it is read as the same. */
export function writeTimes({ from, until }: { from?: Moment; until?: Moment }): string {
  if (from !== undefined && until !== undefined) return rangeText(from, until);
  if (until !== undefined) return `<${momentText(until)}`;
  if (from?.kind === 'relative' && from.seconds < 0) return momentText(from);
  return from === undefined ? '*' : `>=${momentText(from)}`;
}

function rangeText(from: Moment, until: Moment): string {
  if (until.kind !== 'day') return `${momentText(from)}..${momentText(until)}`;
  // The last day of a range is in it.
  const last = dayText(until.days - 1);
  return from.kind === 'day' && from.days === until.days - 1 ? last : `${momentText(from)}..${last}`;
}

function momentText(moment: Moment): string {
  if (moment.kind === 'instant') return moment.text;
  if (moment.kind === 'local') return localText(moment.local);
  if (moment.kind === 'day') return dayText(moment.days);
  if (moment.seconds === 0) return 'now';
  return `${moment.seconds < 0 ? '-' : '+'}${writeDuration(Math.abs(moment.seconds))}`;
}

function dayText(days: number): string {
  return Object.entries(DAYS).find(([, each]) => each === days)?.[0] ?? `${days < 0 ? '-' : '+'}${Math.abs(days)}d`;
}

/** When a text is read: what `now` and days refer to. */
export interface Reading {
  /** In milliseconds, by the server's clock. */
  now: number;
  /** The reader's zone, a name of the IANA database. */
  timeZone: string;
}

/** The same range, of instants. */
export function pinTimes({ from, until }: Times, reading: Reading): Times {
  const pinned = (moment: Moment | undefined): Moment | undefined =>
    moment && { kind: 'instant', text: timeText(moment, reading) };
  return timesOf(pinned(from), pinned(until));
}

/** The moment as the API takes it: RFC 3339. */
export function timeText(moment: Moment, { now, timeZone }: Reading): string {
  if (moment.kind === 'instant') return moment.text;
  const instant = instantOfMoment(moment, now, timeZone);
  return new Date(instant).toISOString();
}

function instantOfMoment(moment: Exclude<Moment, { kind: 'instant' }>, now: number, timeZone: string): number {
  if (moment.kind === 'relative') return now + moment.seconds * 1_000;
  if (moment.kind === 'day') return startOfDay(now, timeZone, moment.days);
  return instantOf(moment.local, timeZone);
}
