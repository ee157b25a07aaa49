// What happens to all jobs, as it happens. New events wait while the reader is at work in the list.
import { useEffect } from 'react';

import { ArrivalsBar } from '../../components/arrivals-bar';
import { Page } from '../../components/page';
import { PanelBody } from '../../components/panel';
import { QueryButton } from '../../components/query-button';
import { describe } from '../../components/states';
import { Icon } from '../../components/icon';
import { timeStyle } from '../../components/time';
import { UnknownParams } from '../../components/unknown-params';
import { useServerTime } from '../../components/use-server-time';
import { counted, countText, t } from '../../text/text';
import { formatWithZone } from '../../time/format';
import { useBusy } from '../../components/use-busy';
import { isFull, MOST_ROWS } from './event-log';
import { EventList } from './event-list';
import { Filters } from './filters';
import { type EventLogState, useEventLog } from './use-event-log';
import { type ActivityFilter, useFilter } from './use-filter';

const KNOWN = ['status', 'type', 'by', 'until'];

export default function ActivityPage() {
  const filter = useFilter();
  const isLive = filter.until === null;
  const events = useEventLog(filter.filter, isLive);
  useServerTime(events.state);
  return (
    <Page
      title={t('activity.title')}
      actions={<QueryButton title={t('activity.title')} asked={events.state.asked} />}
    >
      <UnknownParams known={KNOWN} />
      <Filters filter={filter} />
      {filter.until !== null && <Until filter={filter} until={filter.until} />}
      {isLive && <Arrivals events={events} />}
      <section className="panel" aria-label={t('activity.list')}>
        <PanelBody
          state={events.state}
          lines={12}
          empty={() => (events.log.rows.length > 0 ? null : emptyText(filter, events))}
        >
          {() => (
            <>
              <EventList events={events} onActor={(by) => filter.set({ by })} />
              <End events={events} filter={filter} />
            </>
          )}
        </PanelBody>
      </section>
    </Page>
  );
}

function emptyText({ filter }: ActivityFilter, { state }: EventLogState): string | null {
  if ((state.data?.jobEvents.edges.length ?? 0) > 0) return null;
  return t(filter === null ? 'activity.none' : 'activity.noneFiltered');
}

function Arrivals({ events: { log, take } }: { events: EventLogState }) {
  const isBusy = useBusy('.event-list');
  const count = log.waiting.length;
  useEffect(() => {
    if (count > 0 && !isBusy) take();
  }, [count, isBusy, take]);
  const words = countText({ value: count, isExact: !log.hasOverflow });
  return (
    <ArrivalsBar
      count={isBusy ? count : 0}
      text={t('activity.show', { count: counted('activity.arrived', count, words) })}
      onTake={() => {
        if (count === 0) return;
        window.scrollTo({ top: 0 });
        take();
      }}
    />
  );
}

function Until({ filter, until }: { filter: ActivityFilter; until: string }) {
  return (
    <p className="notice">
      {t('activity.until', { time: formatWithZone(until, timeStyle) })}{' '}
      <button type="button" className="small" onClick={() => filter.set({ until: null })}>
        {t('activity.now')}
      </button>
    </p>
  );
}

function End({ events, filter }: { events: EventLogState; filter: ActivityFilter }) {
  const { log, isLoadingMore, moreError, loadMore } = events;
  if (moreError) {
    return (
      <p className="end" role="alert">
        <Icon name="warning" /> {describe(moreError)}{' '}
        <button type="button" className="small" onClick={loadMore}>
          {t('panel.retry')}
        </button>
      </p>
    );
  }
  if (isFull(log) && log.hasMore) {
    return (
      <p className="end">
        {t('activity.full', { count: MOST_ROWS })}{' '}
        <button
          type="button"
          className="small"
          onClick={() => {
            filter.set({ until: log.rows.at(-1)?.node.ts ?? null });
            window.scrollTo({ top: 0 });
          }}
        >
          {t('activity.older')}
        </button>
      </p>
    );
  }
  if (log.rows.length === 0) return null;
  return <p className="end muted">{isLoadingMore || log.hasMore ? t('activity.loading') : t('activity.end')}</p>;
}
