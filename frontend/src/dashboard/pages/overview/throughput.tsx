// How many runs ended in each interval, and how.
import { useMemo } from 'react';
import { useLocation } from 'wouter';

import { Panel } from '../../components/panel';
import { type Series, TimeChart } from '../../components/time-chart';
import { useQuery } from '../../data/use-query';
import { OverviewThroughputDocument, type OverviewThroughputQuery } from '../../generated/graphql';
import { jobsPath } from '../../paths';
import { timeZone } from '../../settings/settings';
import { t } from '../../text/text';
import type { Range } from './range';

type Buckets = OverviewThroughputQuery['timeline'];

const NAMES = ['succeeded', 'failed', 'canceled', 'deadLettered'] as const;

export function Throughput({ range }: { range: Range }) {
  const { from, until, bucket } = range;
  const state = useQuery(OverviewThroughputDocument, { from, until, bucket, timeZone });
  return (
    <Panel title={t('overview.throughput')} state={state} lines={6}>
      {(data) => <Chart buckets={data.timeline} until={until} />}
    </Panel>
  );
}

function Chart({ buckets, until }: { buckets: Buckets; until: string }) {
  const [, navigate] = useLocation();
  const edges = useMemo(
    () => [...buckets.map(({ start }) => Date.parse(start)), Date.parse(until)],
    [buckets, until],
  );
  const series: Series[] = NAMES.map((name) => ({
    name,
    label: t(`series.${name}`),
    values: buckets.map((each) => each[name]),
  }));
  return (
    <TimeChart
      edges={edges}
      series={series}
      label={t('overview.throughput')}
      onSelect={(from, to) =>
        navigate(jobsPath(`finished:${new Date(from).toISOString()}..${new Date(to).toISOString()}`))
      }
    />
  );
}
