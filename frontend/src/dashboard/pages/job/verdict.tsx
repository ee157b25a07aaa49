// How the job is, in one line: what it does or why it waits, and whether that is usual.
import { useEffect, useState } from 'react';

import { Icon } from '../../components/icon';
import { QueryButton } from '../../components/query-button';
import { HealthTag, StatusTag } from '../../components/status-tag';
import { serverNow } from '../../components/time';
import type { QueryState } from '../../data/use-query';
import type { JobHeadFragment, JobHeadQuery } from '../../generated/graphql';
import { language, number, percent, t } from '../../text/text';
import { formatDuration } from '../../time/durations';
import { Waiting } from './waiting';

interface Props {
  job: JobHeadFragment;
  state: QueryState<JobHeadQuery>;
}

export function Verdict({ job, state }: Props) {
  return (
    <section className="verdict panel" aria-label={t('job.verdict')}>
      <div className="verdict-line">
        <StatusTag status={job.status} />
        <HealthTag verdict={job.health.verdict} />
        <p className="verdict-words">
          {job.status === 'QUEUED' && job.waiting ? (
            <Waiting waiting={job.waiting} queue={job.queue} attempt={job.attempt} />
          ) : (
            <Sentence job={job} />
          )}
        </p>
        <QueryButton title={t('job.verdict')} asked={state.asked} />
      </div>
      <Health job={job} />
      {job.progress && <Progress progress={job.progress} />}
    </section>
  );
}

function Sentence({ job }: { job: JobHeadFragment }) {
  const now = useSeconds(job.status === 'RUNNING');
  const { startedAt, attempt, maxAttempts } = job;
  const run =
    job.status === 'RUNNING' && startedAt ? (now - Date.parse(startedAt)) / 1_000 : job.runSeconds;
  const values = {
    attempt: number(attempt),
    next: number(attempt + 1),
    maxAttempts: number(maxAttempts),
    run: duration(run ?? null),
    wait: duration(job.waitSeconds ?? null),
    code: job.lastErrorCode ?? t('job.noCode'),
  };
  return <>{t(`job.is.${keyOf(job)}`, values)}</>;
}

function keyOf({ status, startedAt, attempt }: JobHeadFragment) {
  if (status !== 'CANCELED' || startedAt) return status;
  return attempt === 0 ? 'CANCELED_UNSTARTED' : 'CANCELED_WAITING';
}

function Health({ job }: { job: JobHeadFragment }) {
  const { verdict, since, expectedSeconds, p95Seconds, sample } = job.health;
  const isUsual = verdict === 'OK' || verdict === 'UNKNOWN';
  if (job.isTerminal || (isUsual && p95Seconds === null)) return null;
  const now = serverNow();
  const usual =
    p95Seconds === null || p95Seconds === undefined
      ? ''
      : t(job.status === 'QUEUED' ? 'job.usualWait' : 'job.usualRun', {
          median: duration(expectedSeconds ?? null),
          p95: duration(p95Seconds),
          sample: number(sample),
        });
  return (
    <p className={isUsual ? 'verdict-health muted' : 'verdict-health verdict-bad'}>
      {!isUsual && <Icon name="warning" />}
      <span>
        {!isUsual &&
          `${t(`job.health.${verdict}`, {
            since: since ? duration((now - Date.parse(since)) / 1_000) : '',
            attempt: number(job.attempt),
          })} `}
        {usual}
      </span>
    </p>
  );
}

function Progress({ progress }: { progress: NonNullable<JobHeadFragment['progress']> }) {
  const { fraction, step } = progress;
  return (
    <div className="progress">
      <progress max={1} value={fraction} aria-label={t('job.progress')} />
      <span>
        {percent(fraction)}
        {step && (
          <>
            {' · '}
            <bdi>{step}</bdi>
          </>
        )}
      </span>
    </div>
  );
}

export function duration(seconds: number | null): string {
  return seconds === null ? '–' : formatDuration(Math.max(0, seconds), language);
}

/** The server's time, renewed each second while `isOn`. */
export function useSeconds(isOn: boolean): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    setNow(serverNow());
    if (!isOn) return;
    const timer = window.setInterval(() => setNow(serverNow()), 1_000);
    return () => window.clearInterval(timer);
  }, [isOn]);
  return now;
}
