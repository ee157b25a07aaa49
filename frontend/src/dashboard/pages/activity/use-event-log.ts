// Reads the newest events, follows them live, and reads on in their history.
import { useCallback, useEffect, useRef, useState } from 'react';

import { ApiError, send } from '../../data/client';
import { useSubscription } from '../../data/live';
import { type QueryState, useQuery } from '../../data/use-query';
import {
  ActivityDocument,
  type ActivityEventFragment,
  ActivityLiveDocument,
  type ActivityQuery,
  type JobEventFilter,
} from '../../generated/graphql';
import { arrived, continued, EMPTY, type Entry, type EventLog, isFull, started, taken } from './event-log';

export type Event = ActivityEventFragment;

const PAGE = 60;
const PAINT_MS = 250;

export interface EventLogState {
  state: QueryState<ActivityQuery>;
  log: EventLog<Event>;
  take: () => void;
  loadMore: () => void;
  isLoadingMore: boolean;
  moreError: ApiError | undefined;
}

export function useEventLog(filter: JobEventFilter | null, isLive: boolean): EventLogState {
  const state = useQuery(ActivityDocument, { filter, first: PAGE, after: null });
  const [log, setLog] = useState<EventLog<Event>>(EMPTY);
  const { data, isOld, refetch } = state;
  const [after, setAfter] = useState<string | null>();
  useEffect(() => {
    if (!data || isOld) return;
    const { edges, pageInfo } = data.jobEvents;
    setLog(started<Event>(edges, pageInfo.hasNextPage));
    setAfter(edges[0]?.cursor ?? null);
  }, [data, isOld]);

  const add = useBatches((events: readonly Entry<Event>[]) => setLog((before) => arrived(before, events)));
  useSubscription(ActivityLiveDocument, { filter, after }, ({ jobEvents }) => add(jobEvents), {
    pause: !isLive || isOld || after === undefined,
  });

  const latest = useRef(log);
  latest.current = log;
  const take = useCallback(() => {
    if (latest.current.hasOverflow) refetch();
    else setLog(taken);
  }, [refetch]);
  return { state, log, take, ...useHistory(filter, log, setLog) };
}

function useHistory(
  filter: JobEventFilter | null,
  log: EventLog<Event>,
  setLog: (change: (before: EventLog<Event>) => EventLog<Event>) => void,
) {
  const [isLoadingMore, setLoading] = useState(false);
  const [moreError, setError] = useState<ApiError>();
  const last = log.rows.at(-1)?.cursor;
  const key = JSON.stringify(filter);
  const keyNow = useRef(key);
  keyNow.current = key;
  const mayLoad = log.hasMore && !isFull(log) && !isLoadingMore && last !== undefined;
  const loadMore = useCallback(() => {
    if (!mayLoad) return;
    setLoading(true);
    send(ActivityDocument, { filter, first: PAGE, after: last }).then(
      ({ jobEvents }) => {
        setLoading(false);
        setError(undefined);
        if (keyNow.current !== key) return;
        setLog((before) => continued(before, jobEvents.edges, jobEvents.pageInfo.hasNextPage));
      },
      (error: unknown) => {
        setLoading(false);
        setError(error instanceof ApiError ? error : new ApiError('UNREACHABLE', ''));
      },
    );
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [mayLoad, last, key]);
  return { loadMore, isLoadingMore, moreError };
}

/** Collects, so that the page is painted at most four times a second. */
function useBatches<T>(onBatch: (batch: readonly T[]) => void): (item: T) => void {
  const waiting = useRef<T[]>([]);
  const timer = useRef(0);
  const handler = useRef(onBatch);
  handler.current = onBatch;
  useEffect(() => () => window.clearTimeout(timer.current), []);
  return useCallback((item: T) => {
    waiting.current.push(item);
    timer.current ||= window.setTimeout(() => {
      timer.current = 0;
      const batch = waiting.current;
      waiting.current = [];
      handler.current(batch);
    }, PAINT_MS);
  }, []);
}
