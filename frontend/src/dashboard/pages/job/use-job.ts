// The job as it is now: by the last answer, the last live message, or an act that was just made.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

import { setServerTime } from '../../components/time';
import { useSubscription } from '../../data/live';
import { type QueryState, useQuery } from '../../data/use-query';
import {
  type ActJobFragment,
  JobEventsLiveDocument,
  JobHeadDocument,
  type JobHeadFragment,
  type JobHeadQuery,
  JobLiveDocument,
} from '../../generated/graphql';

/** How long a job waits, and behind whom, changes without an event of it. */
const UNDER_WAY_MS = 10_000;
const SETTLE_MS = 300;

export interface CurrentJob {
  state: QueryState<JobHeadQuery>;
  job: JobHeadFragment | null | undefined;
  /** Changes when the job has changed: what else is shown of it is to be asked again. */
  version: number;
  /** Takes what an act made of the job. */
  take: (job: ActJobFragment, isExpected: boolean) => void;
}

interface Newer {
  job: JobHeadFragment;
  at: number;
}

export function useJob(id: string): CurrentJob {
  const [newer, setNewer] = useState<Newer>();
  const [version, setVersion] = useState(0);
  const renew = useSettled(useCallback(() => setVersion((before) => before + 1), []));
  const [isUnderWay, setUnderWay] = useState(false);
  const everyMs = isUnderWay ? UNDER_WAY_MS : undefined;
  const state = useQuery(JobHeadDocument, { id }, { renewed: version, everyMs });
  const { data, sentAt = 0, receivedAt } = state;

  useEffect(() => {
    if (data && sentAt && receivedAt) setServerTime(data.server.now, sentAt, receivedAt);
  }, [data, sentAt, receivedAt]);

  const answered = state.isOld ? undefined : data?.job;
  const isNewer = newer !== undefined && newer.job.id === id && newer.at > sentAt;
  const job = isNewer ? newer.job : answered;
  useEffect(() => setUnderWay(job ? !job.isTerminal : false), [job]);

  useSubscription(
    JobLiveDocument,
    { id },
    ({ job: live }) => setNewer({ job: live, at: Date.now() }),
    { pause: !isUnderWay },
  );
  useSubscription(JobEventsLiveDocument, { ids: [id] }, renew, { pause: !job });

  const latest = useRef(job);
  latest.current = job;
  const take = useCallback(
    (changed: ActJobFragment, isExpected: boolean) => {
      if (!latest.current) return;
      // What is expected stands until the server has answered.
      const at = isExpected ? Number.POSITIVE_INFINITY : Date.now();
      setNewer({ job: { ...latest.current, ...changed }, at });
      if (!isExpected) renew();
    },
    [renew],
  );
  return useMemo(() => ({ state, job, version, take }), [state, job, version, take]);
}

/** Calls once for all calls within a moment. */
function useSettled(callback: () => void): () => void {
  const timer = useRef(0);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  return useCallback(() => {
    timer.current ||= window.setTimeout(() => {
      timer.current = 0;
      callback();
    }, SETTLE_MS);
  }, [callback]);
}
