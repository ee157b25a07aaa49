// The types with the most jobs: how long they take, and how often they fail.
import { type Column, DataTable } from '../../components/data-table';
import { Duration } from '../../components/duration';
import { Panel } from '../../components/panel';
import { typeColumn } from '../../components/type-column';
import type { TimeRange } from '../../components/use-time-range';
import { type Options, useQuery } from '../../data/use-query';
import { OverviewTypesDocument, type OverviewTypesQuery } from '../../generated/graphql';
import { number, percent, t } from '../../text/text';

type Group = OverviewTypesQuery['jobGroups'][number];

export function Types({ range, options }: { range: TimeRange; options: Options }) {
  const state = useQuery(OverviewTypesDocument, { since: range.from }, options);
  const title = t('overview.slowest');
  return (
    <Panel
      title={title}
      state={state}
      empty={(data) => (data.jobGroups.length === 0 ? t('panel.empty') : null)}
    >
      {(data) => (
        <DataTable
          label={title}
          columns={columns()}
          rows={data.jobGroups}
          rowKey={({ key }) => key.type ?? ''}
        />
      )}
    </Panel>
  );
}

function columns(): readonly Column<Group>[] {
  return [
    typeColumn(),
    {
      key: 'jobs',
      heading: t('column.jobs'),
      isNumber: true,
      cell: ({ count }) => number(count),
    },
    {
      key: 'median',
      heading: t('column.median'),
      isNumber: true,
      isMinor: true,
      cell: ({ run }) => <Duration seconds={run.p50} />,
    },
    {
      key: 'p95',
      heading: t('column.p95'),
      isNumber: true,
      cell: ({ run }) => <Duration seconds={run.p95} />,
    },
    {
      key: 'failures',
      heading: t('column.failures'),
      isNumber: true,
      cell: (group) => percent(group.count === 0 ? 0 : failed(group) / group.count),
    },
  ];
}

function failed({ statusCounts }: Group): number {
  return statusCounts
    .filter(({ status }) => status === 'FAILED' || status === 'DEAD_LETTER')
    .reduce((sum, { count }) => sum + count.value, 0);
}
