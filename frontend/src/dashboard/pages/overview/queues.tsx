// The queues at a glance: what is due, what runs, and how long the next job has waited.
import { Link } from 'wouter';

import { type Column, DataTable } from '../../components/data-table';
import { Duration } from '../../components/duration';
import { Foreign } from '../../components/foreign';
import { Panel } from '../../components/panel';
import { type Options, useQuery } from '../../data/use-query';
import { OverviewQueuesDocument, type OverviewQueuesQuery } from '../../generated/graphql';
import { queuePath } from '../../paths';
import { countText, t } from '../../text/text';

type Queue = OverviewQueuesQuery['queues'][number];

export function Queues({ options }: { options: Options }) {
  const state = useQuery(OverviewQueuesDocument, {}, options);
  const title = t('overview.queues');
  return (
    <Panel
      title={title}
      state={state}
      empty={(data) => (data.queues.length === 0 ? t('panel.empty') : null)}
    >
      {(data) => (
        <DataTable
          label={title}
          columns={columns()}
          rows={data.queues}
          rowKey={({ name }) => name}
        />
      )}
    </Panel>
  );
}

function columns(): readonly Column<Queue>[] {
  return [
    {
      key: 'name',
      heading: t('column.queue'),
      isHeading: true,
      isText: true,
      cell: ({ name }) => (
        <Link href={queuePath(name)}>
          <Foreign text={name} />
        </Link>
      ),
    },
    { key: 'due', heading: t('column.due'), isNumber: true, cell: ({ due }) => countText(due) },
    {
      key: 'running',
      heading: t('column.running'),
      isNumber: true,
      cell: ({ running }) => countText(running),
    },
    {
      key: 'latency',
      heading: t('column.latency'),
      isNumber: true,
      cell: ({ latencySeconds }) => <Duration seconds={latencySeconds} />,
    },
  ];
}
