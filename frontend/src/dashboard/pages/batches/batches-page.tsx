// All batches: how many jobs each has, and how many of them are done.
import { Link } from 'wouter';

import { type Column, DataTable } from '../../components/data-table';
import { Foreign } from '../../components/foreign';
import { Page } from '../../components/page';
import { Panel } from '../../components/panel';
import { RangeChoice } from '../../components/range-choice';
import { useSorted } from '../../components/sorted';
import { StatusBar } from '../../components/status-bar';
import { Time } from '../../components/time';
import { UnknownParams } from '../../components/unknown-params';
import { useServerTime } from '../../components/use-server-time';
import { RANGE_PARAMS, useTimeRange } from '../../components/use-time-range';
import { useQuery } from '../../data/use-query';
import { BatchesDocument, type BatchesQuery } from '../../generated/graphql';
import { batchPath } from '../../paths';
import { number, percent, t } from '../../text/text';
import { fractionDone } from './fraction';

type Group = BatchesQuery['jobGroups'][number];

const MOST = 60;
const RENEW_MS = 30_000;

export default function BatchesPage() {
  const range = useTimeRange('week');
  const filter = { batch: { isNull: false }, createdAt: { gte: range.from, lt: range.until } };
  const state = useQuery(BatchesDocument, { filter, first: MOST }, { everyMs: RENEW_MS });
  useServerTime(state);
  return (
    <Page title={t('batches.title')} actions={<RangeChoice range={range} />}>
      <UnknownParams known={[...RANGE_PARAMS, 'sort']} />
      <Panel
        title={t('batches.list')}
        state={state}
        lines={8}
        empty={(data) =>
          data.jobGroups.length === 0 ? `${t('batches.none')} ${t('batches.noneHow')}` : null
        }
      >
        {(data) => (
          <>
            <Table groups={data.jobGroups} />
            <p className="muted">
              {t('batches.hint')}{' '}
              {data.jobGroups.length === MOST && t('lists.largest', { count: MOST })}
            </p>
          </>
        )}
      </Panel>
    </Page>
  );
}

const VALUES = {
  name: ({ key }: Group) => key.batch,
  done: ({ statusCounts }: Group) => fractionDone(statusCounts),
  jobs: ({ count }: Group) => count,
  oldest: ({ oldestCreatedAt }: Group) => oldestCreatedAt,
  newest: ({ newestCreatedAt }: Group) => newestCreatedAt,
};

function Table({ groups }: { groups: readonly Group[] }) {
  const sorted = useSorted(groups, VALUES, '-newest');
  return (
    <DataTable
      label={t('batches.list')}
      columns={COLUMNS}
      rowKey={({ key }) => key.batch ?? ''}
      {...sorted}
    />
  );
}

const COLUMNS: readonly Column<Group>[] = [
  {
    key: 'name',
    heading: t('column.batch'),
    isHeading: true,
    isText: true,
    canSort: true,
    cell: ({ key }) => (
      <Link href={batchPath(key.batch ?? '')}>
        <Foreign text={key.batch ?? ''} />
      </Link>
    ),
  },
  {
    key: 'shares',
    heading: t('column.shares'),
    cell: ({ statusCounts }) => <StatusBar counts={statusCounts} />,
  },
  {
    key: 'done',
    heading: t('batches.done'),
    isNumber: true,
    canSort: true,
    cell: ({ statusCounts }) => percent(fractionDone(statusCounts)),
  },
  {
    key: 'jobs',
    heading: t('column.jobs'),
    isNumber: true,
    canSort: true,
    cell: ({ count }) => number(count),
  },
  {
    key: 'oldest',
    heading: t('batches.oldest'),
    isMinor: true,
    canSort: true,
    cell: ({ oldestCreatedAt }) => <Time time={oldestCreatedAt} />,
  },
  {
    key: 'newest',
    heading: t('batches.newest'),
    isMinor: true,
    canSort: true,
    cell: ({ newestCreatedAt }) => <Time time={newestCreatedAt} />,
  },
];
