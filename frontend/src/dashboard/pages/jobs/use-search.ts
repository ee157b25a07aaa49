// What the list shows: all of it is in the URL. Changes by a click are changes of the URL.
import { useCallback, useMemo, useRef, useState } from 'react';
import { useLocation, useSearch as useQueryString } from 'wouter';

import { serverNow } from '../../components/time';
import { useInterval, useQuery } from '../../data/use-query';
import { type JobFilter, JobsSourcesDocument } from '../../generated/graphql';
import { type Chip, chips, hasTerm, toggled, withoutChip, withoutKey } from '../../language/chips';
import type { Compiled } from '../../language/compile';
import { type ValueKey, valueTerm } from '../../language/make';
import { isPinnedText } from '../../language/pin';
import type { Names } from '../../language/values';
import { compileView, pin, readView, type View, writeView } from '../../language/view';
import { timeZone } from '../../settings/settings';

export interface Search extends Omit<Compiled, 'filter'> {
  view: View;
  /** What the view says; while its text has a fault, what it said before. */
  filter: JobFilter;
  chips: readonly Chip[];
  /** Changes the view. With `replace` there is no way back to what was before. */
  put: (change: Partial<View>, options?: { replace: boolean }) => void;
  set: (text: string) => void;
  remove: (chip: Chip) => void;
  has: (key: ValueKey, value: string) => boolean;
  toggle: (key: ValueKey, value: string) => void;
  /** The filter without the conditions of a key, to count what else could be chosen. */
  without: (key: ValueKey) => JobFilter;
  /** Makes times that go on with the clock fixed; null if there are none. */
  pin: (() => void) | null;
}

const MINUTE_MS = 60_000;

export function useSearch(): Search {
  const [, navigate] = useLocation();
  // What the router returns is decoded in part, which a percent sign does not survive.
  const changed = useQueryString();
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  const view = useMemo(() => readView(window.location.search), [changed]);
  const now = useMovingNow(isMoving(view));
  const names = useNames(view.q);
  // What is only looked at, such as the row that is marked, changes no filter.
  const { q, from, until } = view;
  const compiled = useMemo(
    () => compileView({ ...readView(''), q, from, until }, { now, timeZone }, names),
    [q, from, until, now, names],
  );
  const last = useRef<JobFilter>({});
  last.current = compiled.filter ?? last.current;

  const latest = useRef(view);
  latest.current = view;
  const put = useCallback(
    (change: Partial<View>, options = { replace: false }) => {
      navigate(`/jobs${writeView({ ...latest.current, ...change })}`, options);
    },
    [navigate],
  );
  const set = (text: string) => put({ q: text.trim(), at: null });
  return {
    ...compiled,
    view,
    filter: last.current,
    chips: useMemo(() => chips(compiled.parsed), [compiled.parsed]),
    put,
    set,
    remove: (chip) => set(withoutChip(q, chip)),
    has: (key, value) => hasTerm(q, valueTerm(key, value)),
    toggle: (key, value) => set(toggled(q, valueTerm(key, value))),
    without: (key) => {
      const rest = withoutKey(q, valueTerm(key, ''));
      if (rest === q) return last.current;
      return compileView({ ...view, q: rest }, { now, timeZone }, names).filter ?? last.current;
    },
    pin: isMoving(view)
      ? () => put(pin(view, { now: serverNow(), timeZone }), { replace: true })
      : null,
  };
}

/** The names of sources, if the text has one; until they are there, nothing is searched for. */
export function useNames(text: string): Names {
  const { data } = useQuery(JobsSourcesDocument, {}, { pause: !/source:/i.test(text) });
  return useMemo(() => ({ sources: data?.sources ?? [] }), [data]);
}

/** Whether it shows something else as time goes on. */
function isMoving({ q, from, until }: View): boolean {
  const isFixed = (moment: string | null) => moment === null || !Number.isNaN(Date.parse(moment));
  return !(isPinnedText(q) && isFixed(from) && isFixed(until));
}

/** The server's time: of each minute if that makes a difference, else of the first look. */
function useMovingNow(isMoved: boolean): number {
  const [now, setNow] = useState(serverNow);
  const renew = useCallback(() => setNow(serverNow()), []);
  useInterval(renew, isMoved ? MINUTE_MS : undefined);
  return now;
}
