// The table of types, which is sorted here.
import { type Column, DataTable } from '../../components/data-table';
import { Duration } from '../../components/duration';
import { useSorted } from '../../components/sorted';
import { StatusBar } from '../../components/status-bar';
import { Time } from '../../components/time';
import { typeColumn } from '../../components/type-column';
import type { TypeGroupFragment } from '../../generated/graphql';
import { number, percent, t } from '../../text/text';
import { failureRate } from './failure-rate';

type Group = TypeGroupFragment;

const VALUES = {
  type: ({ key }: Group) => key.type,
  jobs: ({ count }: Group) => count,
  failures: ({ statusCounts }: Group) => failureRate(statusCounts),
  waitMedian: ({ wait }: Group) => wait.p50,
  waitP95: ({ wait }: Group) => wait.p95,
  runMedian: ({ run }: Group) => run.p50,
  runP95: ({ run }: Group) => run.p95,
  newest: ({ newestCreatedAt }: Group) => newestCreatedAt,
};

export function TypesTable({ groups }: { groups: readonly Group[] }) {
  const sorted = useSorted(groups, VALUES, '-jobs');
  return (
    <DataTable
      label={t('types.list')}
      columns={COLUMNS}
      rowKey={({ key }) => key.type ?? ''}
      {...sorted}
    />
  );
}

const COLUMNS: readonly Column<Group>[] = [
  { ...typeColumn<Group>(), canSort: true },
  {
    key: 'shares',
    heading: t('column.shares'),
    isMinor: true,
    cell: ({ statusCounts }) => <StatusBar counts={statusCounts} />,
  },
  {
    key: 'jobs',
    heading: t('column.jobs'),
    isNumber: true,
    canSort: true,
    cell: ({ count }) => number(count),
  },
  {
    key: 'failures',
    heading: t('types.failureRate'),
    isNumber: true,
    canSort: true,
    cell: ({ statusCounts }) => <Rate rate={failureRate(statusCounts)} />,
  },
  duration('waitMedian', ({ wait }) => wait.p50, true),
  duration('waitP95', ({ wait }) => wait.p95, true),
  duration('runMedian', ({ run }) => run.p50, true),
  duration('runP95', ({ run }) => run.p95, false),
  {
    key: 'newest',
    heading: t('types.newest'),
    isMinor: true,
    canSort: true,
    cell: ({ newestCreatedAt }) => <Time time={newestCreatedAt} />,
  },
];

type Measure = 'waitMedian' | 'waitP95' | 'runMedian' | 'runP95';

function duration(key: Measure, of: (group: Group) => number | null, isMinor: boolean): Column<Group> {
  return {
    key,
    heading: t(`column.${key}`),
    isNumber: true,
    isMinor,
    canSort: true,
    cell: (group) => <Duration seconds={of(group)} />,
  };
}

function Rate({ rate }: { rate: number | null }) {
  if (rate === null) return <span className="muted">–</span>;
  return <span title={t('types.failureRateHint')}>{percent(rate)}</span>;
}
