// How times are written in charts: in the chosen zone, as long as the interval needs.
import { language } from '../text/text';
import { timeZone } from '../settings/settings';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(language, { timeZone, hourCycle: 'h23', ...options });
}

const clock = format({ hour: '2-digit', minute: '2-digit' });
const day = format({ month: 'short', day: 'numeric' });
const dayAndClock = format({ weekday: 'short', hour: '2-digit', minute: '2-digit' });
const whole = format({ month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' });

/** The label of a mark on the axis; `distanceMs` is that between two marks. */
export function tick(ms: number, distanceMs: number): string {
  if (distanceMs >= DAY_MS) return day.format(ms);
  return distanceMs >= 3 * HOUR_MS ? dayAndClock.format(ms) : clock.format(ms);
}

/** An interval of time in words. */
export function span(from: number, until: number): string {
  return until - from >= DAY_MS ? day.formatRange(from, until - 1) : whole.formatRange(from, until);
}
