// Groups of jobs by their types, each with its shares of statuses.
import { number, t } from '../text/text';
import { DataTable } from './data-table';
import { type Share, StatusBar } from './status-bar';
import { typeColumn } from './type-column';

interface Group {
  key: { type: string | null };
  count: number;
  statusCounts: readonly Share[];
}

export function TypeShares({ label, groups }: { label: string; groups: readonly Group[] }) {
  return (
    <DataTable
      label={label}
      rows={groups}
      rowKey={({ key }) => key.type ?? ''}
      columns={[
        typeColumn(),
        {
          key: 'shares',
          heading: t('column.shares'),
          cell: ({ statusCounts }) => <StatusBar counts={statusCounts} />,
        },
        {
          key: 'jobs',
          heading: t('column.jobs'),
          isNumber: true,
          cell: ({ count }) => number(count),
        },
      ]}
    />
  );
}
