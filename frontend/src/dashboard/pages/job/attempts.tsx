// The runs of the job: drawn on one time line, and as a table.
import { Link } from 'wouter';

import { Duration } from '../../components/duration';
import { Foreign } from '../../components/foreign';
import { Panel } from '../../components/panel';
import { StatusTag } from '../../components/status-tag';
import { Time } from '../../components/time';
import { useQuery } from '../../data/use-query';
import { JobAttemptsDocument, type JobAttemptsQuery } from '../../generated/graphql';
import { searchOf, valueTerm } from '../../language/make';
import { jobsPath } from '../../paths';
import { number, t } from '../../text/text';
import { AttemptChart } from './attempt-chart';
import { EventTime } from './event-time';
import { useSeconds } from './verdict';

type Attempt = NonNullable<JobAttemptsQuery['job']>['attempts'][number];

export function Attempts({ id, version }: { id: string; version: number }) {
  const state = useQuery(JobAttemptsDocument, { id }, { renewed: version });
  const job = state.data?.job;
  const isMoving = job?.status === 'QUEUED' || job?.status === 'RUNNING';
  const now = useSeconds(isMoving);
  return (
    <Panel
      title={t('job.attempts')}
      state={state}
      empty={(data) =>
        data.job?.attempts.length === 0 && data.job.finishedAt ? t('job.noAttempts') : null
      }
    >
      {(data) =>
        data.job && (
          <>
            <AttemptChart course={data.job} now={now} />
            {data.job.attempts.length > 0 && <Table attempts={data.job.attempts} now={now} />}
          </>
        )
      }
    </Panel>
  );
}

function Table({ attempts, now }: { attempts: readonly Attempt[]; now: number }) {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={t('job.attemptTable')}>
      <table>
        <thead>
          <tr>
            <th scope="col" className="number">
              #
            </th>
            <th scope="col">{t('job.outcome')}</th>
            <th scope="col">{t('job.worker')}</th>
            <th scope="col">{t('job.started')}</th>
            <th scope="col">{t('job.finished')}</th>
            <th scope="col" className="number">
              {t('job.ran')}
            </th>
            <th scope="col">{t('job.error')}</th>
          </tr>
        </thead>
        <tbody>
          {[...attempts].reverse().map((attempt) => (
            <Row key={attempt.number} attempt={attempt} now={now} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ attempt, now }: { attempt: Attempt; now: number }) {
  const { startedAt, isExact, finishedAt, outcome, errorCode, errorMessage, worker } = attempt;
  const isOpen = !finishedAt && isExact;
  const seconds = isOpen ? Math.max(0, now - Date.parse(startedAt)) / 1_000 : attempt.runSeconds;
  return (
    <tr>
      <th scope="row" className="number">
        {number(attempt.number)}
      </th>
      <td>
        <StatusTag status={outcome ?? 'RUNNING'} />
      </td>
      <td className="cell-short">
        {worker && (
          <Link href={jobsPath(searchOf(valueTerm('worker', worker)))}>
            <Foreign text={worker} />
          </Link>
        )}
      </td>
      <td>
        <EventTime time={startedAt} parts="short" isExact={isExact} />
      </td>
      <td>{finishedAt && <Time time={finishedAt} parts="short" />}</td>
      <td className="number">
        {isOpen ? <Duration seconds={Math.round(seconds ?? 0)} /> : <Duration seconds={seconds} />}
      </td>
      <td className="cell-text">
        {errorCode && <code>{errorCode}</code>} {errorMessage && <Foreign text={errorMessage} />}
      </td>
    </tr>
  );
}
