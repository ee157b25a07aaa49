// The events of all jobs as they happen, the newest first.
import { useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';

import { Foreign } from '../../components/foreign';
import { Panel } from '../../components/panel';
import { StatusTag } from '../../components/status-tag';
import { Time } from '../../components/time';
import { useSubscription } from '../../data/live';
import { useQuery } from '../../data/use-query';
import {
  type LiveEventFragment,
  OverviewEventsDocument,
  OverviewEventsLiveDocument,
} from '../../generated/graphql';
import { jobPath } from '../../paths';
import { t } from '../../text/text';

const SHOWN = 12;
const PAINT_MS = 250;

export function LiveEvents({ onEvent }: { onEvent: () => void }) {
  const state = useQuery(OverviewEventsDocument, {});
  const [arrived, add] = useArrivals();
  useSubscription(OverviewEventsLiveDocument, {}, ({ jobEvents }) => {
    add(jobEvents.node);
    onEvent();
  });
  return (
    <Panel
      title={t('overview.activity')}
      state={state}
      empty={(data) =>
        data.jobEvents.nodes.length + arrived.length === 0 ? t('overview.noEvents') : null
      }
    >
      {(data) => (
        <ol className="events">
          {newest(arrived, data.jobEvents.nodes).map((event) => (
            <li key={event.id}>
              <StatusTag status={event.nextStatus} />
              <Link href={jobPath(event.job.id)}>
                <Foreign text={event.job.type} />
              </Link>
              <Time time={event.ts} />
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

function newest(arrived: readonly LiveEventFragment[], read: readonly LiveEventFragment[]) {
  const ids = new Set(arrived.map(({ id }) => id));
  return [...arrived, ...read.filter(({ id }) => !ids.has(id))].slice(0, SHOWN);
}

/** The newest events that arrived, shown at most four times a second. */
function useArrivals(): [readonly LiveEventFragment[], (event: LiveEventFragment) => void] {
  const [shown, setShown] = useState<readonly LiveEventFragment[]>([]);
  const waiting = useRef<LiveEventFragment[]>([]);
  const timer = useRef(0);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  function add(event: LiveEventFragment) {
    waiting.current = [event, ...waiting.current].slice(0, SHOWN);
    timer.current ||= window.setTimeout(() => {
      timer.current = 0;
      const fresh = waiting.current;
      waiting.current = [];
      setShown((before) => newest(fresh, before));
    }, PAINT_MS);
  }
  return [shown, add];
}
