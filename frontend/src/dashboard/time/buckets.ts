/** The intervals of charts, which are aligned to UTC as those of `Query.timeline` are. */

import { formatTime, type TimeStyle } from './format.ts';

export type BucketSize = 'MINUTE' | 'FIVE_MINUTES' | 'HOUR' | 'DAY' | 'WEEK';

export const BUCKET_SIZES: readonly BucketSize[] = ['MINUTE', 'FIVE_MINUTES', 'HOUR', 'DAY', 'WEEK'];

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
const LENGTHS: Record<BucketSize, number> = {
  MINUTE,
  FIVE_MINUTES: 5 * MINUTE,
  HOUR: 60 * MINUTE,
  DAY,
  WEEK: 7 * DAY,
};
/** 1970 began on a Thursday; weeks begin on Mondays. */
const FIRST_MONDAY = 4 * DAY;

/** The length of an interval in milliseconds. */
export function bucketLength(size: BucketSize): number {
  return LENGTHS[size];
}

/** The start of the interval that an instant is in. */
export function bucketStart(instant: number, size: BucketSize): number {
  const origin = size === 'WEEK' ? FIRST_MONDAY : 0;
  return Math.floor((instant - origin) / LENGTHS[size]) * LENGTHS[size] + origin;
}

/** The starts of all intervals that have a part in a range, whose end is not in it. */
export function bucketStarts(from: number, until: number, size: BucketSize): number[] {
  const starts: number[] = [];
  for (let start = bucketStart(from, size); start < until; start += LENGTHS[size]) starts.push(start);
  return starts;
}

/** The shortest intervals of which a range has at most a number; the longest if there are none. */
export function bucketSizeFor(from: number, until: number, most = 120): BucketSize {
  const fits = (size: BucketSize): boolean =>
    bucketStart(until - 1, size) - bucketStart(from, size) < most * LENGTHS[size];
  return BUCKET_SIZES.find(fits) ?? 'WEEK';
}

/** The label of an interval on an axis: a time of day, a date, or the number of a week. */
export function bucketLabel(start: number, size: BucketSize, style: TimeStyle): string {
  const utc = { ...style, zone: 'UTC' };
  if (size === 'WEEK') return isoWeekText(start);
  // The day of an interval is one of UTC; elsewhere its start is at another time of day.
  if (size === 'DAY') return formatTime(start, utc, 'date');
  return formatTime(start, style, 'short');
}

/** The number of the week that an instant is in, in UTC, and the year that the week counts to (ISO 8601). */
export function isoWeek(instant: number): { year: number; week: number } {
  const monday = bucketStart(instant, 'WEEK');
  // A week belongs to the year of its Thursday.
  const year = new Date(monday + 3 * DAY).getUTCFullYear();
  const first = bucketStart(Date.UTC(year, 0, 4), 'WEEK');
  return { year, week: (monday - first) / LENGTHS.WEEK + 1 };
}

/** `2026-W48`. */
export function isoWeekText(instant: number): string {
  const { year, week } = isoWeek(instant);
  return `${year}-W${String(week).padStart(2, '0')}`;
}
