// The events of the job, the newest first, each with its detail.
import { useState } from 'react';

import { Foreign } from '../../components/foreign';
import { Icon } from '../../components/icon';
import { JsonTree } from '../../components/json-tree';
import { Panel } from '../../components/panel';
import { StatusTag } from '../../components/status-tag';
import { useQuery } from '../../data/use-query';
import { JobEventsDocument, type JobEventsQuery } from '../../generated/graphql';
import { isObject, type ExactObject, type ExactValue } from '../../json/value';
import { countText, number, t } from '../../text/text';
import { EventTime } from './event-time';

type Event = NonNullable<JobEventsQuery['job']>['events']['nodes'][number];

const PAGE = 25;

interface Props {
  id: string;
  version: number;
  pause: boolean;
}

export function Events({ id, version, pause }: Props) {
  // The cursors of the pages before this one, the newest first.
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const before = cursors.at(-1) ?? null;
  const variables = { id, last: PAGE, before };
  const state = useQuery(JobEventsDocument, variables, { renewed: version, pause });
  const events = state.data?.job?.events;
  return (
    <Panel
      title={events ? t('job.eventsCount', { count: countText(events.count) }) : t('job.events')}
      state={state}
      empty={(data) => (data.job?.events.nodes.length === 0 ? t('overview.noEvents') : null)}
    >
      {(data) => (
        <>
          <Table events={data.job?.events.nodes ?? []} />
          <Pager
            isNewest={cursors.length === 0}
            hasOlder={data.job?.events.pageInfo.hasPreviousPage === true}
            onNewer={() => setCursors(cursors.slice(0, -1))}
            onOlder={() => setCursors([...cursors, data.job?.events.pageInfo.startCursor ?? ''])}
          />
        </>
      )}
    </Panel>
  );
}

interface PagerProps {
  isNewest: boolean;
  hasOlder: boolean;
  onNewer: () => void;
  onOlder: () => void;
}

function Pager({ isNewest, hasOlder, onNewer, onOlder }: PagerProps) {
  if (isNewest && !hasOlder) return null;
  return (
    <div className="pager">
      <button type="button" disabled={isNewest} onClick={onNewer}>
        <Icon name="left" />
        {t('job.newer')}
      </button>
      <button type="button" disabled={!hasOlder} onClick={onOlder}>
        {t('job.older')}
        <Icon name="right" />
      </button>
    </div>
  );
}

function Table({ events }: { events: readonly Event[] }) {
  return (
    <div className="scroll-x" tabIndex={0} role="region" aria-label={t('job.events')}>
      <table className="job-events">
        <thead>
          <tr>
            <th scope="col">{t('column.time')}</th>
            <th scope="col">{t('job.change')}</th>
            <th scope="col" className="number">
              {t('job.attempt')}
            </th>
            <th scope="col">{t('job.actor')}</th>
            <th scope="col">{t('job.detail')}</th>
          </tr>
        </thead>
        <tbody>
          {[...events].reverse().map((event) => (
            <Row key={event.id} event={event} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ event }: { event: Event }) {
  const [isOpen, setOpen] = useState(false);
  const detail = (event.detail ?? null) as ExactValue;
  const members = isObject(detail) ? detail : {};
  const rest = Object.keys(members).filter((name) => name !== 'by');
  return (
    <>
      <tr>
        <td>
          <EventTime time={event.ts} parts="milliseconds" isExact={event.isExact} />
        </td>
        <td className="event-change">
          <StatusTag status={event.nextStatus} />
          {event.prevStatus === event.nextStatus && <span className="muted"> {t('job.note')}</span>}
        </td>
        <td className="number">{number(event.attempt)}</td>
        <td className="cell-short">{textOf(members, 'by')}</td>
        <td className="cell-text">
          {rest.length > 0 && (
            <button
              type="button"
              className="quiet small detail-button"
              aria-expanded={isOpen}
              onClick={() => setOpen(!isOpen)}
            >
              <Icon name={isOpen ? 'down' : 'right'} size={12} />
              <span>{rest.slice(0, 6).map((name) => name.slice(0, 40)).join(', ')}</span>
            </button>
          )}
        </td>
      </tr>
      {isOpen && (
        <tr className="detail-row">
          <td colSpan={5}>
            <JsonTree value={detail} label={t('job.detailOf', { time: event.ts })} />
          </td>
        </tr>
      )}
    </>
  );
}

function textOf(members: ExactObject, name: string) {
  const value = members[name];
  return typeof value === 'string' ? <Foreign text={value} /> : null;
}
