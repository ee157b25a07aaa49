// Percentiles, failure rate and throughput of a type over time: three charts of one answer.
import { type Line, LineChart } from '../../components/line-chart';
import { Panel } from '../../components/panel';
import { bucketEdges, Throughput } from '../../components/throughput';
import type { TimeRange } from '../../components/use-time-range';
import { useQuery } from '../../data/use-query';
import { TypeTimelineDocument, type TypeTimelineQuery } from '../../generated/graphql';
import { term } from '../../paths';
import { timeZone } from '../../settings/settings';
import { language, percent, t } from '../../text/text';
import { formatDuration } from '../../time/durations';
import { failedRuns } from './failure-rate';

type Bucket = TypeTimelineQuery['timeline'][number];

const PERCENTILES = ['p99', 'p95', 'p50'] as const;

export function TypeCharts({ type, range }: { type: string; range: TimeRange }) {
  const { from, until, bucket } = range;
  const state = useQuery(TypeTimelineDocument, { type, from, until, bucket, timeZone });
  return (
    <div className="chart-grid">
      <Panel title={t('types.runOver')} state={state} lines={6}>
        {(data) => <Percentiles buckets={data.timeline} until={until} measure="run" />}
      </Panel>
      <Panel title={t('types.waitOver')} state={state} lines={6}>
        {(data) => <Percentiles buckets={data.timeline} until={until} measure="wait" />}
      </Panel>
      <Panel title={t('types.throughput')} state={state} lines={6}>
        {(data) => (
          <Throughput
            buckets={data.timeline}
            until={until}
            label={t('types.throughput')}
            query={term('type', type)}
          />
        )}
      </Panel>
      <Panel title={t('types.failuresOver')} state={state} lines={6}>
        {(data) => <Failures buckets={data.timeline} until={until} />}
      </Panel>
    </div>
  );
}

interface ChartProps {
  buckets: readonly Bucket[];
  until: string;
}

const isLastPartial = (buckets: readonly Bucket[]): boolean => buckets.at(-1)?.isPartial ?? false;

function Percentiles({ buckets, until, measure }: ChartProps & { measure: 'run' | 'wait' }) {
  const lines: Line[] = PERCENTILES.map((name) => ({
    name,
    label: t(`types.${name}`),
    values: buckets.map((bucket) => bucket[measure][name]),
  }));
  return (
    <LineChart
      isLog
      edges={bucketEdges(buckets, until)}
      lines={lines}
      label={t(measure === 'run' ? 'types.runOver' : 'types.waitOver')}
      format={(seconds) => formatDuration(seconds, language)}
      isLastPartial={isLastPartial(buckets)}
    />
  );
}

function Failures({ buckets, until }: ChartProps) {
  const label = t('types.failedRuns');
  return (
    <LineChart
      limit={1}
      edges={bucketEdges(buckets, until)}
      lines={[{ name: 'failureRate', label, values: buckets.map(failedRuns) }]}
      label={t('types.failuresOver')}
      format={percent}
      isLastPartial={isLastPartial(buckets)}
      height={140}
    />
  );
}
