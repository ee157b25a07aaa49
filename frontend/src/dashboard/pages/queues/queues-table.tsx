// The table of queues, which is sorted here: it has all that were asked for.
import { Link } from 'wouter';

import { CellBar } from '../../components/cell-bar';
import { type Column, DataTable } from '../../components/data-table';
import { Duration } from '../../components/duration';
import { Foreign } from '../../components/foreign';
import { useSorted } from '../../components/sorted';
import { Time } from '../../components/time';
import type { QueueFiguresFragment } from '../../generated/graphql';
import { queuePath } from '../../paths';
import { countText, t } from '../../text/text';
import { Drain } from './drain';
import { perMinute } from './rates';

export type Queue = QueueFiguresFragment;

const VALUES = {
  name: ({ name }: Queue) => name,
  due: ({ due }: Queue) => due.value,
  scheduled: ({ scheduled }: Queue) => scheduled.value,
  running: ({ running }: Queue) => running.value,
  oldest: ({ oldestDueAt }: Queue) => oldestDueAt,
  latency: ({ latencySeconds }: Queue) => latencySeconds,
  started: ({ started }: Queue) => started,
  succeeded: ({ succeeded }: Queue) => succeeded,
  failed: ({ failed }: Queue) => failed,
  wait: ({ wait }: Queue) => wait.p95,
  drain: ({ drainEta }: Queue) => drainEta,
};

export function QueuesTable({ queues, minutes }: { queues: readonly Queue[]; minutes: number }) {
  const sorted = useSorted(queues, VALUES, '-due');
  return (
    <DataTable
      label={t('queues.title')}
      columns={columns(queues, minutes)}
      rowKey={({ name }) => name}
      {...sorted}
    />
  );
}

function columns(queues: readonly Queue[], minutes: number): readonly Column<Queue>[] {
  const most = Math.max(...queues.map(({ due }) => due.value));
  const longest = Math.max(...queues.map(({ latencySeconds }) => latencySeconds ?? 0));
  const rate = (key: 'started' | 'succeeded' | 'failed'): Column<Queue> => ({
    key,
    heading: t(`queues.${key}`),
    isNumber: true,
    isMinor: true,
    canSort: true,
    cell: (queue) => (
      <span className={key === 'failed' && queue.failed > 0 ? 'bad' : undefined}>
        {perMinute(queue[key], minutes)}
      </span>
    ),
  });
  return [
    {
      key: 'name',
      heading: t('column.queue'),
      isHeading: true,
      isText: true,
      canSort: true,
      cell: ({ name }) => (
        <Link href={queuePath(name)}>
          <Foreign text={name} />
        </Link>
      ),
    },
    {
      key: 'due',
      heading: t('queues.due'),
      isNumber: true,
      canSort: true,
      cell: ({ due }) => <CellBar value={due.value} most={most} text={countText(due)} />,
    },
    {
      key: 'latency',
      heading: t('queues.latency'),
      isNumber: true,
      canSort: true,
      cell: ({ latencySeconds }) => <Latency seconds={latencySeconds} longest={longest} />,
    },
    { ...count('running'), isMinor: false },
    count('scheduled'),
    {
      key: 'oldest',
      heading: t('column.oldest'),
      isMinor: true,
      canSort: true,
      cell: ({ oldestDueAt }) => (oldestDueAt === null ? '–' : <Time time={oldestDueAt} />),
    },
    rate('started'),
    rate('succeeded'),
    rate('failed'),
    {
      key: 'wait',
      heading: t('column.waitP95'),
      isNumber: true,
      isMinor: true,
      canSort: true,
      cell: ({ wait }) => <Duration seconds={wait.p95} />,
    },
    {
      key: 'drain',
      heading: t('queues.drain'),
      isNumber: true,
      canSort: true,
      cell: (queue) => <Drain queue={queue} />,
    },
  ];
}

function count(key: 'running' | 'scheduled'): Column<Queue> {
  return {
    key,
    heading: t(`queues.${key}`),
    isNumber: true,
    isMinor: true,
    canSort: true,
    cell: (queue) => countText(queue[key]),
  };
}

function Latency({ seconds, longest }: { seconds: number | null; longest: number }) {
  return (
    <>
      <Duration seconds={seconds} />
      <CellBar value={seconds ?? 0} most={longest} text="" />
    </>
  );
}
