// Groups of jobs by their types, each with its shares of statuses.
import { Link } from 'wouter';

import { typePath } from '../paths';
import { number, t } from '../text/text';
import { DataTable } from './data-table';
import { Foreign } from './foreign';
import { type Share, StatusBar } from './status-bar';

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
        {
          key: 'type',
          heading: t('column.type'),
          isHeading: true,
          isText: true,
          cell: ({ key }) => (
            <Link href={typePath(key.type ?? '')}>
              <Foreign text={key.type ?? ''} />
            </Link>
          ),
        },
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
