// How many runs ended in each interval, and how: the bars of a timeline, which lead to their jobs.
import { useLocation } from 'wouter';

import { jobsPath, timeTerm } from '../paths';
import { t } from '../text/text';
import { type Series, TimeChart } from './time-chart';

const NAMES = ['succeeded', 'failed', 'canceled', 'deadLettered'] as const;

type Bucket = { start: string } & Record<(typeof NAMES)[number], number>;

interface Props {
  buckets: readonly Bucket[];
  until: string;
  label: string;
  /** What the jobs have in common, in the search language. */
  query: string;
}

export function Throughput({ buckets, until, label, query }: Props) {
  const [, navigate] = useLocation();
  const series: Series[] = NAMES.map((name) => ({
    name,
    label: t(`series.${name}`),
    values: buckets.map((each) => each[name]),
  }));
  return (
    <TimeChart
      edges={bucketEdges(buckets, until)}
      series={series}
      label={label}
      onSelect={(from, to) => navigate(jobsPath(`${query} ${timeTerm('finished', from, to)}`))}
    />
  );
}

/** The starts of the buckets, and the end of the range. */
export function bucketEdges(buckets: readonly { start: string }[], until: string): number[] {
  return [...buckets.map(({ start }) => Date.parse(start)), Date.parse(until)];
}
