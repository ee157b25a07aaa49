// How often the errors of a group happened, in hours, days or weeks.
import { useLocation } from 'wouter';

import { TimeChart } from '../../components/time-chart';
import { idTerm, jobsPath, timeTerm } from '../../paths';
import { timeZone } from '../../settings/settings';
import { t } from '../../text/text';
import { bucketLength, bucketStart } from '../../time/buckets';
import type { Group } from './error-page';

export const BUCKETS = ['HOUR', 'DAY', 'WEEK'] as const;
export type Bucket = (typeof BUCKETS)[number];
export const COUNTS: Record<Bucket, number> = { HOUR: 48, DAY: 30, WEEK: 26 };

interface Props {
  group: Group;
  now: string;
  bucket: Bucket;
}

export function Trend({ group, now, bucket }: Props) {
  const [, navigate] = useLocation();
  const label = t('errors.trendTitle');
  return (
    <>
      <TimeChart
        edges={trendEdges(group.trend.length, Date.parse(now), bucket)}
        series={[{ name: 'failed', label, values: group.trend }]}
        label={label}
        height={180}
        onSelect={(from, until) =>
          navigate(jobsPath(`${idTerm('errorgroup', group.id)} ${timeTerm('finished', from, until)}`))
        }
      />
      {bucket !== 'HOUR' && timeZone !== 'UTC' && <p className="muted">{t('errors.bucketUtc')}</p>}
    </>
  );
}

/** The starts of the last intervals, and the end of the last one, which is not over yet. */
export function trendEdges(count: number, now: number, bucket: Bucket): number[] {
  const [last, length] = [bucketStart(now, bucket), bucketLength(bucket)];
  return Array.from({ length: count + 1 }, (_, index) => last + (index - count + 1) * length);
}
