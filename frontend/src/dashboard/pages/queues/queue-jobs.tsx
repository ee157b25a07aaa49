// The jobs of a queue that go next, that run, and that have waited longest.
import { ShortJobTable } from '../../components/short-job-table';
import { Panel } from '../../components/panel';
import { useQuery } from '../../data/use-query';
import {
  type JobFilter,
  type JobLiteFragment,
  QueueNextDocument,
  QueueOldestDocument,
  QueueRunningDocument,
} from '../../generated/graphql';
import { counted, countText, number, t } from '../../text/text';
import { longestFirst, startOrder } from './order';
import type { Turn } from './use-turn';

interface Props {
  queue: string;
  turn: Turn;
}

const SHOWN = 10;
const OLDEST = 50;

function dueFilter(queue: string, at: number, priority?: number): JobFilter {
  return {
    queue: { eq: queue },
    status: ['QUEUED'],
    or: [{ scheduledAt: { isNull: true } }, { scheduledAt: { lt: new Date(at).toISOString() } }],
    ...(priority === undefined ? {} : { priority: { eq: priority } }),
  };
}

/** The API sorts by priority, but within one the newest first: of a long queue, its head is asked for. */
export function GoNext({ queue, turn }: Props) {
  const all = useQuery(QueueNextDocument, { due: dueFilter(queue, turn.at) });
  const isLong = all.data?.jobs.pageInfo.hasNextPage ?? false;
  const top = all.data?.jobs.nodes[0]?.priority ?? 0;
  const head = useQuery(
    QueueOldestDocument,
    { due: dueFilter(queue, turn.at, top), first: SHOWN },
    { pause: !isLong },
  );
  const state = isLong ? head : all;
  return (
    <Panel
      title={t('queues.next')}
      state={state}
      lines={5}
      empty={(data) => (data.jobs.nodes.length === 0 ? t('queues.next.none') : null)}
    >
      {(data: { jobs: { nodes: readonly JobLiteFragment[] } }) => (
        <>
          <p className="muted">
            {t('queues.nextHint')} {isLong && t('queues.nextOf', { priority: number(top) })}
          </p>
          <ShortJobTable
            label={t('queues.next')}
            jobs={[...data.jobs.nodes].sort(startOrder).slice(0, SHOWN)}
            columns={['priority', 'attempt', 'due', 'wait']}
            hasStatus={false}
          />
        </>
      )}
    </Panel>
  );
}

export function Running({ queue, turn }: Props) {
  const state = useQuery(QueueRunningDocument, { queue }, { renewed: turn.count });
  return (
    <Panel
      title={t('queues.running')}
      state={state}
      empty={(data) => (data.jobs.nodes.length === 0 ? t('queues.running.none') : null)}
      actions={
        state.data && (
          <span className="muted">
            {counted('count.jobs', state.data.jobs.count.value, countText(state.data.jobs.count))}
          </span>
        )
      }
    >
      {(data) => (
        <ShortJobTable
          label={t('queues.running')}
          jobs={data.jobs.nodes}
          columns={['worker', 'attempt', 'started', 'run']}
          hasStatus={false}
        />
      )}
    </Panel>
  );
}

export function Longest({ queue, turn }: Props) {
  const state = useQuery(QueueOldestDocument, { due: dueFilter(queue, turn.at), first: OLDEST });
  return (
    <Panel
      title={t('queues.longest')}
      state={state}
      empty={(data) => (data.jobs.nodes.length === 0 ? t('queues.next.none') : null)}
    >
      {(data) => (
        <>
          {data.jobs.nodes.length === OLDEST && (
            <p className="muted">{t('queues.longestHint', { count: OLDEST })}</p>
          )}
          <ShortJobTable
            label={t('queues.longest')}
            jobs={[...data.jobs.nodes].sort(longestFirst).slice(0, SHOWN)}
            columns={['priority', 'attempt', 'due', 'wait']}
            hasStatus={false}
          />
        </>
      )}
    </Panel>
  );
}
