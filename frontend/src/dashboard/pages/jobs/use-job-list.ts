// The list of the jobs that match a filter: its pages as they are scrolled to, and its live changes.
import { useCallback, useEffect, useRef, useState } from 'react';

import { ApiError, send } from '../../data/client';
import { type JobFilter, type JobOrder, JobsPageDocument } from '../../generated/graphql';
import { changed, continued, EMPTY, type JobList, type PageOfRows, type Row, started } from './job-list';
import { useLiveRows } from './use-live-rows';

const PAGE_SIZE = 50;

export interface JobListState {
  list: JobList;
  error: ApiError | undefined;
  isLoading: boolean;
  /** Whether the rows are not those of the filter yet. */
  isOld: boolean;
  loadMore: () => void;
  /** Begins from the start again, with what has arrived. */
  refresh: () => void;
  /** Puts a row in place at once, as after an act. */
  put: (row: Row) => void;
  /** Keeps these rows current: those that are in view. */
  watch: (ids: readonly string[]) => void;
}

export function useJobList(filter: JobFilter, orderBy: JobOrder): JobListState {
  const key = JSON.stringify([filter, orderBy]);
  const [list, setList] = useState<JobList>(EMPTY);
  const [keyOfList, setKeyOfList] = useState<string | null>(null);
  const [error, setError] = useState<ApiError>();
  const [isLoading, setLoading] = useState(true);
  const [turn, setTurn] = useState(0);
  const asked = useRef({ filter, orderBy });
  asked.current = { filter, orderBy };
  const reading = useRef<AbortController>(undefined);

  const read = useCallback(
    async (after: string | null, take: (page: PageOfRows) => void) => {
      reading.current?.abort();
      const controller = new AbortController();
      reading.current = controller;
      setLoading(true);
      setError(undefined);
      try {
        take(await readPage(asked.current, after, controller.signal));
        setLoading(false);
      } catch (problem) {
        if (controller.signal.aborted) return;
        setError(problem instanceof ApiError ? problem : new ApiError('UNREACHABLE', ''));
        setLoading(false);
      }
    },
    [],
  );

  useEffect(() => {
    void read(null, (page) => {
      setList(started(page));
      setKeyOfList(key);
    });
    return () => reading.current?.abort();
  }, [key, turn, read]);

  const loadMore = useCallback(() => {
    if (isLoading || !list.hasMore || keyOfList !== key) return;
    void read(list.endCursor, (page) => setList((before) => continued(before, page)));
  }, [isLoading, list.hasMore, list.endCursor, keyOfList, key, read]);

  const refresh = useCallback(() => setTurn((before) => before + 1), []);
  const put = useCallback(
    (row: Row) => setList((before) => changed(before, new Map([[row.id, row]]))),
    [],
  );
  const watch = useLiveRows(filter, orderBy, setList);
  return { list, error, isLoading, isOld: keyOfList !== key, loadMore, refresh, put, watch };
}

async function readPage(
  { filter, orderBy }: { filter: JobFilter; orderBy: JobOrder },
  after: string | null,
  signal: AbortSignal,
): Promise<PageOfRows> {
  const variables = { filter, orderBy, first: PAGE_SIZE, after };
  const { jobs, server } = await send(JobsPageDocument, variables, signal);
  const { endCursor, hasNextPage } = jobs.pageInfo;
  return { rows: jobs.nodes, endCursor: endCursor ?? null, hasMore: hasNextPage, asOf: server.now };
}
