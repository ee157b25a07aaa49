// Changes rows in place as their jobs change, greys those that left the list, and counts arrivals.
import { useCallback, useEffect, useRef, useState } from 'react';

import { send } from '../../data/client';
import { useSubscription } from '../../data/live';
import { useInterval } from '../../data/use-query';
import {
  type JobFilter,
  type JobOrder,
  JobsArrivingDocument,
  JobsChangingDocument,
  JobsPageDocument,
  JobsRowsDocument,
  JobsStillMatchingDocument,
} from '../../generated/graphql';
import { arrivals, changed, checked, type JobList, type Row } from './job-list';

/** Changes are painted four times a second, and looked up once. */
const PAINT_MS = 250;
const CHECK_MS = 1_000;
const SCROLL_MS = 400;
const MOST_WATCHED = 100;
/** What changed before a subscription began is in no event: so the list is also read again. */
const FIRST_READ_MS = 2_000;
const READ_MS = 15_000;
const READ_ROWS = 50;

type SetList = (change: (before: JobList) => JobList) => void;

/** Returns a function that takes the rows to keep current: those that are in view. */
export function useLiveRows(
  filter: JobFilter,
  orderBy: JobOrder,
  setList: SetList,
): (ids: readonly string[]) => void {
  const [watched, watch] = useWatched(setList);
  useReading(filter, orderBy, watched, setList);
  const arriving = useBatch<string>(PAINT_MS, (ids) => setList((before) => arrivals(before, ids)));
  const looks = useBatch<string>(CHECK_MS, (ids) => void look(filter, ids, setList));
  const changes = useBatch<Row>(PAINT_MS, (rows) => {
    setList((before) => changed(before, byId(rows)));
  });

  useSubscription(JobsArrivingDocument, { filter }, ({ jobEvents }) => {
    arriving(jobEvents.node.job.id);
  });
  useSubscription(
    JobsChangingDocument,
    { ids: watched },
    ({ jobEvents }) => {
      changes(jobEvents.node.job);
      looks(jobEvents.node.job.id);
    },
    { pause: watched.length === 0 },
  );
  return watch;
}

/** The rows in view, as of the last rest in scrolling. Those that were not watched are read again. */
function useWatched(setList: SetList): [string[], (ids: readonly string[]) => void] {
  const [watched, setWatched] = useState<string[]>([]);
  const seen = useRef<readonly string[]>([]);
  const timer = useRef(0);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const watch = useCallback(
    (ids: readonly string[]) => {
      const found = ids.slice(0, MOST_WATCHED);
      if (found.join() === seen.current.join()) return;
      seen.current = found;
      window.clearTimeout(timer.current);
      timer.current = window.setTimeout(() => setWatched(found), SCROLL_MS);
    },
    [],
  );
  const isFirst = useRef(true);
  useEffect(() => {
    if (watched.length > 0 && !isFirst.current) void reread(watched, setList);
    isFirst.current &&= watched.length === 0;
  }, [watched, setList]);
  return [watched, watch];
}

/** Reads the beginning of the list and the rows in view again, soon after they are shown and then slowly. */
function useReading(
  filter: JobFilter,
  orderBy: JobOrder,
  watched: string[],
  setList: SetList,
): void {
  const given = useRef({ filter, orderBy, watched });
  given.current = { filter, orderBy, watched };
  const read = useCallback(() => {
    const { filter: asked, orderBy: order, watched: ids } = given.current;
    if (ids.length === 0) return;
    void reread(ids, setList);
    void readTop(asked, order, setList);
  }, [setList]);
  useEffect(() => {
    const timer = window.setTimeout(read, FIRST_READ_MS);
    return () => window.clearTimeout(timer);
  }, [watched, read]);
  useInterval(read, READ_MS);
}

async function readTop(filter: JobFilter, orderBy: JobOrder, setList: SetList): Promise<void> {
  try {
    const { jobs } = await send(JobsPageDocument, { filter, orderBy, first: READ_ROWS });
    setList((before) => arrivals(before, jobs.nodes.map(({ id }) => id)));
  } catch {
    // It is read again.
  }
}

async function reread(ids: string[], setList: SetList): Promise<void> {
  try {
    const { jobs } = await send(JobsRowsDocument, { ids });
    setList((before) => changed(before, byId(jobs.nodes)));
  } catch {
    // They stay as they were read.
  }
}

async function look(filter: JobFilter, given: readonly string[], setList: SetList): Promise<void> {
  const ids = [...new Set(given)].slice(-MOST_WATCHED);
  try {
    const { jobs } = await send(JobsStillMatchingDocument, { filter: { and: [filter, { ids }] } });
    const matching = new Set(jobs.nodes.map(({ id }) => id));
    setList((before) => checked(before, ids, matching));
  } catch {
    // The next change is looked up again.
  }
}

function byId(rows: readonly Row[]): Map<string, Row> {
  return new Map(rows.map((row) => [row.id, row]));
}

/** Collects values, and hands them on together after an interval. */
function useBatch<V>(everyMs: number, take: (values: readonly V[]) => void): (value: V) => void {
  const waiting = useRef<V[]>([]);
  const timer = useRef(0);
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => () => window.clearTimeout(timer.current), []);
  return useCallback(
    (value) => {
      waiting.current.push(value);
      timer.current ||= window.setTimeout(() => {
        timer.current = 0;
        const values = waiting.current;
        waiting.current = [];
        latest.current(values);
      }, everyMs);
    },
    [everyMs],
  );
}
