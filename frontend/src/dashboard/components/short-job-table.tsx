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

export function ShortJobTable({ label, jobs, columns, hasStatus = true }: Props) {
  const hasError = columns.includes('error');
  const type = { ...TYPE, heading: t('column.job'), isText: !hasError, isName: hasError };
  const status = { ...STATUS, heading: t('column.status') };
  const others = columns.map((key) => ({ ...COLUMNS[key], key, heading: t(`jobColumn.${key}`) }));
  const shown = [type, ...(hasStatus ? [status] : []), ...others];
  return <DataTable label={label} columns={shown} rows={jobs} rowKey={({ id }) => id} />;
}

// Without their headings: the words are loaded after this module.
const TYPE: Omit<Column<Job>, 'heading'> = {
  key: 'type',
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

const STATUS: Omit<Column<Job>, 'heading'> = {
  key: 'status',
  cell: ({ status }) => <StatusTag status={status} />,
};

type Cells = Omit<Column<Job>, 'key' | 'heading'>;

const COLUMNS: Record<JobColumn, Cells> = {
  created: time(({ createdAt }) => createdAt),
  updated: time(({ updatedAt }) => updatedAt),
  finished: time(({ finishedAt }) => finishedAt),
  started: time(({ startedAt }) => startedAt),
  due: time(({ queuedAt, scheduledAt }) =>
    scheduledAt !== null && Date.parse(scheduledAt) > Date.parse(queuedAt) ? scheduledAt : queuedAt,
  ),
  wait: { ...duration(({ waitSeconds }) => waitSeconds), isMinor: true },
  run: duration(({ runSeconds }) => runSeconds),
  queue: text(({ queue }) => queue),
  worker: text(({ worker }) => worker),
  attempt: {
    isNumber: true,
    isMinor: true,
    cell: ({ attempt, maxAttempts }) => `${number(attempt)} / ${number(maxAttempts)}`,
  },
  priority: {
    isNumber: true,
    isMinor: true,
    cell: ({ priority }) => number(priority),
  },
  error: {
    isText: true,
    cell: ({ lastErrorCode, lastErrorMessage }) =>
      lastErrorCode === null && lastErrorMessage === null ? (
        NONE
      ) : (
        <Foreign text={[lastErrorCode, lastErrorMessage].filter(Boolean).join(': ')} />
      ),
  },
};

function time(of: (job: Job) => string | null): Cells {
  return {
    cell: (job) => {
      const value = of(job);
      return value === null ? NONE : <Time time={value} />;
    },
  };
}

function duration(of: (job: Job) => number | null): Cells {
  return { isNumber: true, cell: (job) => <Duration seconds={of(job)} /> };
}

function text(of: (job: Job) => string | null): Cells {
  return {
    isMinor: true,
    cell: (job) => {
      const value = of(job);
      return value === null ? NONE : <span className="short-text"><Foreign text={value} /></span>;
    },
  };
}
