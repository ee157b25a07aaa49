// What is searched for: a text of the search language in the URL, and the changes of it by a click.
import { useCallback, useMemo, useRef, useState } from 'react';
import { useSearchParams } from 'wouter';

import { serverNow } from '../../components/time';
import { useInterval } from '../../data/use-query';
import type { JobFilter } from '../../generated/graphql';
import { type Chip, chips, hasTerm, toggled, withOnly, withoutChip, withoutKey } from '../../language/chips';
import { type Compiled, compile } from '../../language/compile';
import { timeTerm, type ValueKey, valueTerm } from '../../language/make';
import { isPinnedText, pinText } from '../../language/pin';
import { timeZone } from '../../settings/settings';

export interface Search extends Omit<Compiled, 'filter'> {
  /** What the text says; while it has a fault, what it said before. */
  filter: JobFilter;
  text: string;
  chips: readonly Chip[];
  set: (text: string) => void;
  remove: (chip: Chip) => void;
  has: (key: ValueKey, value: string) => boolean;
  toggle: (key: ValueKey, value: string) => void;
  /** The filter without the conditions of a key, to count what else could be chosen. */
  without: (key: ValueKey) => JobFilter;
  /** Searches for jobs that were created in this time, in milliseconds, whatever it was before. */
  setTimes: (from: number, until: number) => void;
  /** Lets times that go on with the clock refer to now. */
  renew: () => void;
  /** Makes such times fixed; null if there are none. */
  pin: (() => void) | null;
}

const MINUTE_MS = 60_000;

export function useSearch(): Search {
  const [parameters, setParameters] = useSearchParams();
  const text = parameters.get('q') ?? '';
  const [now, setNow] = useState(serverNow);
  const renew = useCallback(() => setNow(serverNow()), []);
  const isPinned = useMemo(() => isPinnedText(text), [text]);
  useInterval(renew, isPinned ? undefined : MINUTE_MS);
  // A text without a moving time is not read again as the clock goes on.
  const at = isPinned ? 0 : now;
  const compiled = useMemo(() => compile(text, { now: at || serverNow(), timeZone }), [text, at]);
  const last = useRef<JobFilter>({});
  last.current = compiled.filter ?? last.current;

  const set = useCallback(
    (next: string) => {
      setParameters((before) => {
        const after = new URLSearchParams(before);
        after.delete('at');
        if (next.trim() === '') after.delete('q');
        else after.set('q', next.trim());
        return after;
      });
    },
    [setParameters],
  );
  return {
    ...compiled,
    filter: last.current,
    text,
    chips: useMemo(() => chips(compiled.parsed), [compiled.parsed]),
    set,
    remove: (chip) => set(withoutChip(text, chip)),
    has: (key, value) => hasTerm(text, valueTerm(key, value)),
    without: (key) => {
      const rest = withoutKey(text, valueTerm(key, ''));
      if (rest === text) return last.current;
      return compile(rest, { now: at || serverNow(), timeZone }).filter ?? last.current;
    },
    toggle: (key, value) => set(toggled(text, valueTerm(key, value))),
    setTimes: (from, until) => set(withOnly(text, timeTerm('created', from, until))),
    renew,
    pin: isPinned ? null : () => set(pinText(text, { now: serverNow(), timeZone })),
  };
}
