// A time: relative, with the absolute one and its zone in the title; or absolute.
import { useSyncExternalStore } from 'react';

import { timeZone } from '../settings/settings';
import { language } from '../text/text';
import { formatTime, formatWithZone, type TimeParts, type TimeStyle } from '../time/format';
import { relativeTime } from '../time/relative';
import { ServerClock } from '../time/server-clock';

/** How times are written: in the chosen language and zone. */
export const timeStyle: TimeStyle = { locale: language, zone: timeZone };

interface Props {
  time: string;
  /** Shows the time itself, so much of it. */
  parts?: TimeParts;
}

export function Time({ time, parts }: Props) {
  const instant = Date.parse(time);
  const now = useNowFor(instant);
  const words = parts ? formatTime(time, timeStyle, parts) : relativeTime(instant, now, language);
  return (
    <time dateTime={time} title={formatWithZone(time, timeStyle)}>
      {words}
    </time>
  );
}

const TICK_MS = 5_000;
/** By how much an answer may correct the clock before all times are renewed. */
const MAX_CORRECTION_MS = 1_000;

// One clock for all times of the page.
const clock = new ServerClock();
let now = Date.now();
const listeners = new Set<() => void>();

/** Takes the time of an answer, so that a wrong clock of this device does not matter. */
export function setServerTime(time: string, sentAt: number, receivedAt: number): void {
  const before = clock.offset;
  clock.take({ serverNow: Date.parse(time), sentAt, receivedAt });
  if (Math.abs(clock.offset - before) > MAX_CORRECTION_MS) tick();
}

/** The server's time, in milliseconds since the epoch. */
export function serverNow(): number {
  return clock.now();
}

/** The same, as of the last tick; the component is renewed with each. */
export function useNow(): number {
  return useSyncExternalStore(listen, () => now);
}

/** The same, to compare an instant with: what was after the last tick may be over now. */
function useNowFor(instant: number): number {
  const ofTick = useNow();
  return instant > ofTick ? serverNow() : ofTick;
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tick(): void {
  now = serverNow();
  for (const listener of listeners) listener();
}

window.setInterval(() => {
  if (document.visibilityState !== 'hidden') tick();
}, TICK_MS);
