// Why a queued job waits, and until when as far as that can be said.
import { Link } from 'wouter';

import { timeStyle } from '../../components/time';
import type { JobHeadFragment, WaitingReason } from '../../generated/graphql';
import { queuePath } from '../../paths';
import { counted, countText, language, number, t } from '../../text/text';
import { formatBriefly } from '../../time/format';
import { relativeTime } from '../../time/relative';
import { duration, useSeconds } from './verdict';

type JobWaiting = NonNullable<JobHeadFragment['waiting']>;

interface Props {
  waiting: JobWaiting;
  queue: string;
  attempt: number;
}

export function Waiting({ waiting, queue, attempt }: Props) {
  const now = useSeconds(true);
  const due = Date.parse(waiting.dueAt);
  const isDue = due <= now;
  const reasons = isDue ? waiting.reasons.filter(isOfDueJobs) : waiting.reasons;
  return (
    <>
      {reasons.length === 0 && <span>{t('job.waits.next')} </span>}
      {reasons.map((reason) => (
        <span key={reason}>{reasonText(reason, waiting, now, attempt)} </span>
      ))}
      <span>
        {isDue
          ? t('job.waits.dueSince', { duration: duration((now - due) / 1_000) })
          : t('job.waits.dueIn', {
              duration: duration((due - now) / 1_000),
              time: formatBriefly(due, now, timeStyle),
            })}{' '}
      </span>
      {isDue && waiting.eta && <Eta eta={Date.parse(waiting.eta)} now={now} />}
      <span>
        <Link href={queuePath(queue)}>
          <bdi>{queue}</bdi>
        </Link>
        {': '}
        {queueText(waiting)}
      </span>
    </>
  );
}

const isOfDueJobs = (reason: WaitingReason): boolean =>
  reason === 'BEHIND_OTHERS' || reason === 'NO_RECENT_STARTS';

function reasonText(reason: WaitingReason, waiting: JobWaiting, now: number, attempt: number): string {
  switch (reason) {
    case 'BEHIND_OTHERS':
      return counted('job.waits.behind', waiting.ahead.value, countText(waiting.ahead));
    case 'NO_RECENT_STARTS':
      return waiting.lastStartInQueue
        ? t('job.waits.noStartsSince', {
            time: relativeTime(Date.parse(waiting.lastStartInQueue), now, language),
          })
        : t('job.waits.noStarts');
    case 'BACKING_OFF':
      return t('job.waits.backingOff', { attempt: number(attempt + 1) });
    case 'SCHEDULED':
      return t('job.waits.scheduled');
  }
}

function Eta({ eta, now }: { eta: number; now: number }) {
  if (eta <= now) return <span>{t('job.waits.anyMoment')} </span>;
  const values = {
    duration: duration((eta - now) / 1_000),
    time: formatBriefly(eta, now, timeStyle),
  };
  return <strong>{t('job.waits.eta', values)} </strong>;
}

function queueText({ running, startsPerMinute }: JobWaiting): string {
  const rate = startsPerMinute
    ? t('job.waits.rate', { rate: number(Math.round(startsPerMinute * 10) / 10) })
    : t('job.waits.noRate');
  return `${counted('job.waits.running', running.value, countText(running))}, ${rate}`;
}
