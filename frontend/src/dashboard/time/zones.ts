/** Times in any zone of the IANA database, by `Intl`. Instants are milliseconds since 1970 in UTC. */

const MINUTE = 60_000;

/** A date and a time of day without a zone. */
export interface LocalTime {
  year: number;
  /** From 1. */
  month: number;
  day: number;
  hour?: number;
  minute?: number;
  second?: number;
  millisecond?: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether the browser knows a time zone. */
export function isTimeZone(zone: string): boolean {
  try {
    partsFormat(zone);
    return true;
  } catch {
    return false;
  }
}

/** How many milliseconds the clocks of a zone are ahead of UTC at an instant. */
export function offsetAt(instant: number, zone: string): number {
  const whole = Math.floor(instant / 1_000) * 1_000;
  return utcOf(localPartsAt(whole, zone)) - whole;
}

/** The date and the time that the clocks of a zone show. */
export function localTimeAt(instant: number, zone: string): Required<LocalTime> {
  const local = new Date(instant + offsetAt(instant, zone));
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    second: local.getUTCSeconds(),
    millisecond: local.getUTCMilliseconds(),
  };
}

/**
 * When the clocks of a zone show a time. Of two such instants it is the earlier one; a time that is
 * skipped is as long after the change as it would be after the last moment before it.
 */
export function instantOf(local: LocalTime, zone: string): number {
  const wanted = utcOf(local);
  // No zone changes its offset twice within two days.
  const before = offsetAt(wanted - 1_440 * MINUTE, zone);
  const after = offsetAt(wanted + 1_440 * MINUTE, zone);
  const candidates = [wanted - before, wanted - after].sort((a, b) => a - b);
  const shown = candidates.find((instant) => instant + offsetAt(instant, zone) === wanted);
  return shown ?? wanted - before;
}

/** When the day began that an instant is in, or one that is a number of days later. */
export function startOfDay(instant: number, zone: string, daysLater = 0): number {
  const { year, month, day } = localTimeAt(instant, zone);
  return instantOf({ year, month, day: day + daysLater }, zone);
}

/** How far the clocks of a zone are from UTC: `UTC+05:45`. */
export function offsetText(instant: number, zone: string): string {
  const minutes = Math.round(offsetAt(instant, zone) / MINUTE);
  if (minutes === 0) return 'UTC';
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? '−' : '+'}${twoDigits(hours)}:${twoDigits(rest)}`;
}

/** A calendar's date as an instant of UTC; days and months may be past the end of theirs. */
export function utcOf(local: LocalTime): number {
  const { year, month, day, hour = 0, minute = 0, second = 0, millisecond = 0 } = local;
  const date = new Date(0);
  // `Date.UTC` takes the years 0 to 99 for those of the last century.
  date.setUTCFullYear(year, month - 1, day);
  return date.setUTCHours(hour, minute, second, millisecond);
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}

function localPartsAt(instant: number, zone: string): LocalTime {
  const parts = new Map(partsFormat(zone).formatToParts(instant).map(({ type, value }) => [type, value]));
  const number = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
  const year = number('year');
  return {
    // The year before the year 1 is 1 BC.
    year: parts.get('era') === 'BC' ? 1 - year : year,
    month: number('month'),
    day: number('day'),
    hour: number('hour'),
    minute: number('minute'),
    second: number('second'),
  };
}

function partsFormat(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(zone, made);
  return made;
}
