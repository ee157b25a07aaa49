// The columns of the list of jobs.
import type { ReactNode } from 'react';
import { Link } from 'wouter';

import { Duration } from '../../components/duration';
import { Foreign } from '../../components/foreign';
import { HealthTag, StatusTag } from '../../components/status-tag';
import { Time } from '../../components/time';
import type { JobOrderField } from '../../generated/graphql';
import { jobPath, queuePath } from '../../paths';
import { percent, t } from '../../text/text';
import type { Row } from './job-list';

export interface Column {
  name: ColumnName;
  /** The order of the list that the head of the column chooses. */
  order?: JobOrderField;
  cell: (row: Row) => ReactNode;
  isNumber?: boolean;
}

export const COLUMN_NAMES = [
  'status',
  'type',
  'queue',
  'error',
  'attempt',
  'priority',
  'requester',
  'worker',
  'tags',
  'wait',
  'run',
  'created',
  'updated',
  'scheduled',
  'started',
  'finished',
] as const;

export type ColumnName = (typeof COLUMN_NAMES)[number];

export const DEFAULT_COLUMNS: readonly ColumnName[] = [
  'status',
  'type',
  'queue',
  'error',
  'attempt',
  'wait',
  'run',
  'created',
];

const CELLS: Record<ColumnName, Omit<Column, 'name'>> = {
  status: { cell: (row) => <Status row={row} /> },
  type: {
    cell: (row) => (
      <Link href={jobPath(row.id)} className="row-link">
        <Foreign text={row.type} />
      </Link>
    ),
  },
  queue: {
    cell: (row) => (
      <Link href={queuePath(row.queue)} className="subtle">
        <Foreign text={row.queue} />
      </Link>
    ),
  },
  error: { cell: (row) => <LastError row={row} /> },
  attempt: { cell: (row) => `${row.attempt}/${row.maxAttempts}`, isNumber: true },
  priority: { cell: (row) => row.priority, isNumber: true, order: 'PRIORITY' },
  requester: { cell: (row) => row.requestedBy && <Foreign text={row.requestedBy} /> },
  worker: { cell: (row) => row.worker && <Foreign text={row.worker} /> },
  tags: { cell: (row) => <Foreign text={row.tags.join(', ')} /> },
  wait: { cell: (row) => <Duration seconds={row.waitSeconds} />, isNumber: true },
  run: { cell: (row) => <Duration seconds={row.runSeconds} />, isNumber: true },
  created: { cell: (row) => <Time time={row.createdAt} />, order: 'CREATED_AT' },
  updated: { cell: (row) => <Time time={row.updatedAt} />, order: 'UPDATED_AT' },
  scheduled: { cell: (row) => time(row.scheduledAt), order: 'SCHEDULED_AT' },
  started: { cell: (row) => time(row.startedAt), order: 'STARTED_AT' },
  finished: { cell: (row) => time(row.finishedAt), order: 'FINISHED_AT' },
};

/** The columns with these names, in the order of all columns; the default ones if there are none. */
export function columnsOf(names: readonly string[]): Column[] {
  const known = COLUMN_NAMES.filter((name) => names.includes(name));
  const chosen = known.length > 0 ? known : DEFAULT_COLUMNS;
  return chosen.map((name) => ({ name, ...CELLS[name] }));
}

export function columnTitle(name: ColumnName): string {
  return t(`jobs.column.${name}`);
}

function time(value: string | null | undefined): ReactNode {
  return value ? <Time time={value} /> : <span className="muted">–</span>;
}

function Status({ row }: { row: Row }) {
  return (
    <span className="cell-status">
      <StatusTag status={row.status} />
      {row.status === 'RUNNING' && row.progress && (
        <span className="muted">{percent(row.progress.fraction)}</span>
      )}
      <HealthTag verdict={row.health.verdict} />
    </span>
  );
}

function LastError({ row }: { row: Row }) {
  if (!row.lastErrorCode && !row.lastErrorMessage) return null;
  return (
    <span className="cell-error">
      {row.lastErrorCode && <code>{row.lastErrorCode}</code>}{' '}
      {row.lastErrorMessage && <Foreign text={row.lastErrorMessage} />}
    </span>
  );
}
