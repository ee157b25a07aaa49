// What the job was created with, and its times.
import type { ReactNode } from 'react';
import { Link } from 'wouter';

import { Duration } from '../../components/duration';
import { CopyButton } from '../../components/copy-button';
import { Foreign } from '../../components/foreign';
import { Time, timeStyle, useNow } from '../../components/time';
import type { JobHeadFragment } from '../../generated/graphql';
import { searchOf, type ValueKey, valueTerm } from '../../language/make';
import { jobsPath, queuePath, sourcePath, typePath } from '../../paths';
import { number, t } from '../../text/text';
import { formatBriefly, formatWithZone } from '../../time/format';

export function Facts({ job }: { job: JobHeadFragment }) {
  return (
    <section className="panel" aria-labelledby="job-facts">
      <header className="panel-head">
        <h2 id="job-facts">{t('job.facts')}</h2>
        <div className="panel-actions">
          <CopyButton text={job.id} label={t('job.copyId')} />
        </div>
      </header>
      <dl className="facts">
        <Fact name="ID">
          <code className="id">{job.id}</code>
        </Fact>
        <Fact name={t('column.type')}>
          <Link href={typePath(job.type)}>
            <Foreign text={job.type} className="clamp" />
          </Link>
        </Fact>
        <Fact name={t('column.queue')}>
          <Link href={queuePath(job.queue)}>
            <Foreign text={job.queue} className="clamp" />
          </Link>
        </Fact>
        <Identity job={job} />
        <Times job={job} />
        <Fact name={t('job.priority')}>{number(job.priority)}</Fact>
        <Fact name={t('job.attempts')}>
          {t('job.attemptsOf', { attempt: job.attempt, max: job.maxAttempts })}
          {' · '}
          {t(`job.backoff.${job.backoffPolicy}`)}
        </Fact>
      </dl>
    </section>
  );
}

function Identity({ job }: { job: JobHeadFragment }) {
  return (
    <>
      <Linked name={t('job.requestedBy')} value={job.requestedBy} of="by" />
      <Linked name={t('job.worker')} value={job.worker} of="worker" />
      {job.idempotencyKey && (
        <Fact name={t('job.idempotencyKey')}>
          <Foreign text={job.idempotencyKey} className="clamp mono" />
        </Fact>
      )}
      {job.source && (
        <Fact name={t('job.source')}>
          <Link href={sourcePath(job.source.id)}>
            <Foreign text={job.source.name} />
          </Link>
          {job.externalId && (
            <>
              {' · '}
              <Foreign text={job.externalId} className="clamp mono" />
            </>
          )}
        </Fact>
      )}
      {job.tags.length > 0 && (
        <Fact name={t('job.tags')}>
          <ul className="tags">
            {job.tags.map((tag) => (
              <li key={tag}>
                <Link className="chip" href={jobsPath(searchOf(valueTerm('tag', tag)))}>
                  <Foreign text={tag} />
                </Link>
              </li>
            ))}
          </ul>
        </Fact>
      )}
    </>
  );
}

function Times({ job }: { job: JobHeadFragment }) {
  const now = useNow();
  const times = [
    ['job.created', job.createdAt],
    ['job.scheduled', job.scheduledAt],
    ['job.started', job.startedAt],
    ['job.finished', job.finishedAt],
    ['job.updated', job.updatedAt],
  ] as const;
  return (
    <>
      {times.map(
        ([name, time]) =>
          time && (
            <Fact key={name} name={t(name)}>
              <time dateTime={time} title={formatWithZone(time, timeStyle)}>
                {formatBriefly(time, now, timeStyle)}
              </time>{' '}
              <span className="muted">
                <Time time={time} />
              </span>
            </Fact>
          ),
      )}
      <Fact name={t('job.waited')}>
        <Duration seconds={job.waitSeconds} />
      </Fact>
      <Fact name={t('job.ran')}>
        <Duration seconds={job.runSeconds} />
      </Fact>
    </>
  );
}

function Linked({ name, value, of }: { name: string; value: string | null | undefined; of: ValueKey }) {
  if (!value) return null;
  return (
    <Fact name={name}>
      <Link href={jobsPath(searchOf(valueTerm(of, value)))}>
        <Foreign text={value} className="clamp" />
      </Link>
    </Fact>
  );
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
