// One event: when, what became of which job, who did it and what else is known.
import type { ReactNode } from 'react';
import { Link } from 'wouter';

import { Foreign } from '../../components/foreign';
import { Icon } from '../../components/icon';
import { StatusTag } from '../../components/status-tag';
import { timeStyle, useNow } from '../../components/time';
import { jobPath, queuePath } from '../../paths';
import { percent, t } from '../../text/text';
import { formatBriefly, formatWithZone } from '../../time/format';
import { readDetail } from './detail';
import type { Event } from './use-event-log';

interface Props {
  event: Event;
  onActor: (by: string) => void;
}

export function EventRow({ event, onActor }: Props) {
  const { job, nextStatus, prevStatus } = event;
  return (
    <>
      <EventTime event={event} />
      <span className="event-status">
        <StatusTag status={nextStatus} />
        {prevStatus === null && <span className="muted">{t('activity.created')}</span>}
        {prevStatus === nextStatus && <span className="muted">{t('activity.note')}</span>}
      </span>
      <span className="event-job">
        <Link href={jobPath(job.id)}>
          <Foreign text={job.type} />
        </Link>
        <span className="muted mono">{job.id.slice(0, 8)}</span>
        <Link href={queuePath(job.queue)} className="event-queue">
          <Foreign text={job.queue} />
        </Link>
      </span>
      <span className="event-detail">
        <Detail event={event} onActor={onActor} />
      </span>
    </>
  );
}

function EventTime({ event: { ts, isExact } }: { event: Event }) {
  const now = useNow();
  const title = formatWithZone(ts, timeStyle);
  return (
    <time dateTime={ts} title={isExact ? title : `${title}. ${t('activity.inexact')}`}>
      {isExact ? '' : '≈ '}
      {formatBriefly(ts, now, timeStyle)}
    </time>
  );
}

function Detail({ event, onActor }: Props) {
  const { by, reason, worker, error, progress, step, rest } = readDetail(event.detail);
  const parts: ReactNode[] = [];
  if (by !== null) {
    parts.push(
      <button key="by" type="button" className="actor" onClick={() => onActor(by)}>
        <Icon name="user" size={12} />
        <Foreign text={t('activity.by.name', { name: by })} />
      </button>,
    );
  }
  if (reason !== null) parts.push(<q key="reason"><Foreign text={reason} /></q>);
  if (error !== null) parts.push(<span key="error" className="bad-text"><Foreign text={error} /></span>);
  if (event.attempt > 1) parts.push(<span key="attempt">{t('activity.attempt', { attempt: event.attempt })}</span>);
  if (worker !== null) parts.push(<Foreign key="worker" text={t('activity.worker', { name: worker })} />);
  if (progress !== null) {
    const done = t('activity.progress', { percent: percent(progress) });
    parts.push(<Foreign key="progress" text={step === null ? done : `${done}: ${step}`} />);
  }
  if (rest !== null) parts.push(<code key="rest"><Foreign text={rest} /></code>);
  return <>{parts}</>;
}
