// A short list of jobs, in which each row leads to its job.
import { Link } from 'wouter';

import type { JobLiteFragment } from '../generated/graphql';
import { jobPath } from '../paths';
import { number, t } from '../text/text';
import { type Column, DataTable } from './data-table';
import { Duration } from './duration';
import { Foreign } from './foreign';
import { StatusTag } from './status-tag';
import { Time } from './time';

type Job = JobLiteFragment;
export type JobColumn =
  | 'created'
  | 'updated'
  | 'finished'
  | 'due'
  | 'started'
  | 'wait'
  | 'run'
  | 'queue'
  | 'worker'
  | 'attempt'
  | 'priority'
  | 'error';

interface Props {
  label: string;
  jobs: readonly Job[];
  columns: readonly JobColumn[];
  hasStatus?: boolean;
}

const NONE = <span className="muted">–</span>;

export function JobTable({ label, jobs, columns, hasStatus = true }: Props) {
  const hasError = columns.includes('error');
  const type = { ...TYPE, isText: !hasError, isName: hasError };
  const shown = [type, ...(hasStatus ? [STATUS] : []), ...columns.map((key) => COLUMNS[key])];
  return <DataTable label={label} columns={shown} rows={jobs} rowKey={({ id }) => id} />;
}

const TYPE: Column<Job> = {
  key: 'type',
  heading: t('column.job'),
  isHeading: true,
  cell: (job) => (
    <>
      <Link href={jobPath(job.id)}>
        <Foreign text={job.type} />
      </Link>
      <span className="muted mono">{job.id.slice(0, 8)}</span>
    </>
  ),
};

const STATUS: Column<Job> = {
  key: 'status',
  heading: t('column.status'),
  cell: ({ status }) => <StatusTag status={status} />,
};

const COLUMNS: Record<JobColumn, Column<Job>> = {
  created: time('created', ({ createdAt }) => createdAt),
  updated: time('updated', ({ updatedAt }) => updatedAt),
  finished: time('finished', ({ finishedAt }) => finishedAt),
  started: time('started', ({ startedAt }) => startedAt),
  due: time('due', ({ queuedAt, scheduledAt }) =>
    scheduledAt !== null && Date.parse(scheduledAt) > Date.parse(queuedAt) ? scheduledAt : queuedAt,
  ),
  wait: { ...duration('wait', ({ waitSeconds }) => waitSeconds), isMinor: true },
  run: duration('run', ({ runSeconds }) => runSeconds),
  queue: text('queue', ({ queue }) => queue),
  worker: text('worker', ({ worker }) => worker),
  attempt: {
    ...heading('attempt'),
    isNumber: true,
    isMinor: true,
    cell: ({ attempt, maxAttempts }) => `${number(attempt)} / ${number(maxAttempts)}`,
  },
  priority: {
    ...heading('priority'),
    isNumber: true,
    isMinor: true,
    cell: ({ priority }) => number(priority),
  },
  error: {
    ...heading('error'),
    isText: true,
    cell: ({ lastErrorCode, lastErrorMessage }) =>
      lastErrorCode === null && lastErrorMessage === null ? (
        NONE
      ) : (
        <Foreign text={[lastErrorCode, lastErrorMessage].filter(Boolean).join(': ')} />
      ),
  },
};

function heading(key: JobColumn): { key: string; heading: string } {
  return { key, heading: t(`jobColumn.${key}`) };
}

function time(key: JobColumn, of: (job: Job) => string | null): Column<Job> {
  return {
    ...heading(key),
    cell: (job) => {
      const value = of(job);
      return value === null ? NONE : <Time time={value} />;
    },
  };
}

function duration(key: JobColumn, of: (job: Job) => number | null): Column<Job> {
  return { ...heading(key), isNumber: true, cell: (job) => <Duration seconds={of(job)} /> };
}

function text(key: JobColumn, of: (job: Job) => string | null): Column<Job> {
  return {
    ...heading(key),
    isMinor: true,
    cell: (job) => {
      const value = of(job);
      return value === null ? NONE : <span className="short-text"><Foreign text={value} /></span>;
    },
  };
}
