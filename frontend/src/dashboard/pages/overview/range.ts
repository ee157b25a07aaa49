// The time that the overview is of: it ends now, and goes on with it.
import { useCallback, useMemo, useState } from 'react';
import { useSearchParams } from 'wouter';

import { serverNow } from '../../components/time';
import { useInterval } from '../../data/use-query';
import type { TimeBucketSize } from '../../generated/graphql';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export const RANGES = ['hour', 'day', 'week', 'month'] as const;
export type RangeName = (typeof RANGES)[number];

const LENGTHS: Record<RangeName, { ms: number; bucket: TimeBucketSize; bucketMs: number }> = {
  hour: { ms: HOUR_MS, bucket: 'MINUTE', bucketMs: MINUTE_MS },
  day: { ms: 24 * HOUR_MS, bucket: 'HOUR', bucketMs: HOUR_MS },
  week: { ms: 7 * 24 * HOUR_MS, bucket: 'HOUR', bucketMs: HOUR_MS },
  month: { ms: 30 * 24 * HOUR_MS, bucket: 'DAY', bucketMs: 24 * HOUR_MS },
};

export interface Range {
  name: RangeName;
  choose: (name: RangeName) => void;
  from: string;
  until: string;
  bucket: TimeBucketSize;
  /** The start of the range for `jobs`: `-24h`. */
  ago: string;
  /** Lets the range end now. */
  renew: () => void;
}

const AGO: Record<RangeName, string> = { hour: '-1h', day: '-24h', week: '-7d', month: '-30d' };

export function useRange(): Range {
  const [search, setSearch] = useSearchParams();
  const given = search.get('range') as RangeName | null;
  const name = given !== null && RANGES.includes(given) ? given : 'day';
  const [until, setUntil] = useState(serverNow);
  const renew = useCallback(() => setUntil(serverNow()), []);
  useInterval(renew, MINUTE_MS);

  return useMemo(() => {
    const { ms, bucket, bucketMs } = LENGTHS[name];
    // Whole buckets, so that the first bar is not a part of one.
    const from = Math.floor((until - ms) / bucketMs) * bucketMs + bucketMs;
    return {
      name,
      choose: (chosen) => setSearch({ range: chosen }, { replace: true }),
      from: new Date(from).toISOString(),
      until: new Date(until).toISOString(),
      bucket,
      ago: AGO[name],
      renew,
    };
  }, [name, until, renew, setSearch]);
}
