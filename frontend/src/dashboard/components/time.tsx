// A time: relative, with the absolute one and its zone in the title and for copying.
import { useSyncExternalStore } from 'react';

import { timeZone } from '../settings/settings';
import { language } from '../text/text';

const absolute = new Intl.DateTimeFormat(language, {
  timeZone,
  hourCycle: 'h23',
  dateStyle: 'medium',
  timeStyle: 'medium',
});
const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' });
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

export function absoluteText(time: string | number): string {
  return `${absolute.format(new Date(time))} ${timeZone}`;
}

export function relativeText(ms: number, now: number): string {
  const seconds = Math.round((ms - now) / 1_000);
  const unit = UNITS.find(([, size]) => Math.abs(seconds) >= size);
  return unit
    ? relative.format(Math.trunc(seconds / unit[1]), unit[0])
    : relative.format(seconds, 'second');
}

export function Time({ time, isAbsolute = false }: { time: string; isAbsolute?: boolean }) {
  const now = useNow();
  const ms = Date.parse(time);
  return (
    <time dateTime={time} title={absoluteText(time)}>
      {isAbsolute ? absolute.format(ms) : relativeText(ms, now)}
    </time>
  );
}

// One clock for all times of the page: by the server's clock, as soon as an answer has said it.
let offset = 0;
let now = Date.now();
const listeners = new Set<() => void>();

/** Takes the time of an answer of the server, so that a wrong clock of this device does not matter. */
export function setServerTime(time: string): void {
  offset = Date.parse(time) - Date.now();
}

export function serverNow(): number {
  return Date.now() + offset;
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

window.setInterval(() => {
  if (document.visibilityState === 'hidden') return;
  now = serverNow();
  for (const listener of listeners) listener();
}, 5_000);

/** The time of the server, in milliseconds since the epoch; renews the component as it goes on. */
export function useNow(): number {
  return useSyncExternalStore(listen, () => now);
}
