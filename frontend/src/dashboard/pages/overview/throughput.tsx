// How many runs ended in each interval, and how.
import { Panel } from '../../components/panel';
import { Throughput as Chart } from '../../components/throughput';
import type { TimeRange } from '../../components/use-time-range';
import { useQuery } from '../../data/use-query';
import { OverviewThroughputDocument } from '../../generated/graphql';
import { timeZone } from '../../settings/settings';
import { t } from '../../text/text';

export function Throughput({ range }: { range: TimeRange }) {
  const { from, until, bucket } = range;
  const state = useQuery(OverviewThroughputDocument, { from, until, bucket, timeZone });
  const title = t('overview.throughput');
  return (
    <Panel title={title} state={state} lines={6}>
      {({ timeline }) => <Chart buckets={timeline} until={until} label={title} query="" />}
    </Panel>
  );
}
