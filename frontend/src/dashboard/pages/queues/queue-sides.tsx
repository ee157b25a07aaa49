// The types of a queue that are queued or running, and the workers that started its jobs lately.
import { Link } from 'wouter';

import { DataTable } from '../../components/data-table';
import { Duration } from '../../components/duration';
import { Foreign } from '../../components/foreign';
import { Panel } from '../../components/panel';
import { TypeShares } from '../../components/type-shares';
import { useQuery } from '../../data/use-query';
import { QueueTypesDocument, type QueueWorkersQuery, QueueWorkersDocument } from '../../generated/graphql';
import { jobsPath, term } from '../../paths';
import { number, t } from '../../text/text';
import type { Turn } from './use-turn';

const SINCE_MS = 3_600_000;
const MINUTE_MS = 60_000;

interface Props {
  queue: string;
  turn: Turn;
}

export function QueueTypes({ queue, turn }: Props) {
  const state = useQuery(QueueTypesDocument, { queue }, { renewed: turn.count });
  return (
    <Panel
      title={t('queues.types')}
      state={state}
      empty={(data) => (data.jobGroups.length === 0 ? t('queues.types.none') : null)}
    >
      {(data) => <TypeShares label={t('queues.types')} groups={data.jobGroups} />}
    </Panel>
  );
}

type Group = QueueWorkersQuery['jobGroups'][number];

const runningOf = ({ statusCounts }: Group): number =>
  statusCounts.find(({ status }) => status === 'RUNNING')?.count.value ?? 0;

export function QueueWorkers({ queue, turn }: Props) {
  const minute = Math.floor((turn.at - SINCE_MS) / MINUTE_MS) * MINUTE_MS;
  const since = new Date(minute).toISOString();
  const state = useQuery(QueueWorkersDocument, { queue, since }, { renewed: turn.count });
  return (
    <Panel
      title={t('queues.workers')}
      state={state}
      empty={(data) => (data.jobGroups.length === 0 ? t('queues.workersNone') : null)}
    >
      {(data) => (
        <DataTable
          label={t('queues.workers')}
          rows={data.jobGroups}
          rowKey={({ key }) => key.worker ?? ''}
          columns={[
            {
              key: 'worker',
              heading: t('column.worker'),
              isHeading: true,
              isText: true,
              cell: ({ key }) => (
                <Link href={jobsPath(`${term('queue', queue)} ${term('worker', key.worker ?? '')}`)}>
                  <Foreign text={key.worker ?? ''} />
                </Link>
              ),
            },
            {
              key: 'running',
              heading: t('queues.running'),
              isNumber: true,
              cell: (group) => number(runningOf(group)),
            },
            {
              key: 'started',
              heading: t('queues.workerJobs'),
              isNumber: true,
              cell: ({ count }) => number(count),
            },
            {
              key: 'run',
              heading: t('column.runMedian'),
              isNumber: true,
              cell: ({ run }) => <Duration seconds={run.p50} />,
            },
          ]}
        />
      )}
    </Panel>
  );
}
