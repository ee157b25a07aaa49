// The time that a page is of. It ends now and goes on, until the reader pins it: then the URL has both ends.
import { useCallback, useMemo, useState } from 'react';

import { useInterval } from '../data/use-query';
import type { TimeBucketSize } from '../generated/graphql';
import { bucketLength, bucketSizeFor } from '../time/buckets';
import { serverNow } from './time';
import { useParams } from './use-param';

const RENEW_MS = 60_000;
const HOUR_MS = 3_600_000;
const MOST_BUCKETS = 200;

export const RANGES = ['hour', 'day', 'week', 'month'] as const;
export type RangeName = (typeof RANGES)[number];
export const RANGE_PARAMS = ['range', 'from', 'until'] as const;

const LENGTHS: Record<RangeName, { ms: number; bucket: TimeBucketSize }> = {
  hour: { ms: HOUR_MS, bucket: 'MINUTE' },
  day: { ms: 24 * HOUR_MS, bucket: 'HOUR' },
  week: { ms: 7 * 24 * HOUR_MS, bucket: 'HOUR' },
  month: { ms: 30 * 24 * HOUR_MS, bucket: 'DAY' },
};

export interface TimeRange {
  /** Null while the range is pinned. */
  name: RangeName | null;
  from: string;
  until: string;
  bucket: TimeBucketSize;
  choose: (name: RangeName) => void;
  /** Pins a range of time, in milliseconds since the epoch; what is shown now if none is given. */
  pin: (from?: number, until?: number) => void;
  /** Lets the range end now, if it is not pinned. */
  renew: () => void;
}

/**
 * `isRenewed`: whether the page renews the range after events. Without any, only its first bucket changes: the range
 * then goes on by itself from bucket to bucket.
 */
export function useTimeRange(usual: RangeName = 'day', isRenewed = false): TimeRange {
  const [params, setParams] = useParams();
  const [now, setNow] = useState(serverNow);
  const renew = useCallback(() => setNow(serverNow()), []);
  const given = params.get('range');
  const [pinnedFrom, pinnedUntil] = [instant(params.get('from')), instant(params.get('until'))];
  const isPinned = pinnedFrom !== null && (pinnedUntil === null || pinnedUntil > pinnedFrom);
  const name = RANGES.find((each) => each === given) ?? usual;
  const goOn = useCallback(() => {
    const current = serverNow();
    const isSame = (before: number) => isRenewed && startOf(name, before) === startOf(name, current);
    setNow((before) => (isSame(before) ? before : current));
  }, [name, isRenewed]);
  useInterval(goOn, isPinned && pinnedUntil !== null ? undefined : RENEW_MS);

  return useMemo(() => {
    const until = isPinned ? (pinnedUntil ?? Math.max(now, pinnedFrom + 1)) : now;
    const bucket = isPinned ? bucketSizeFor(pinnedFrom, until, MOST_BUCKETS) : LENGTHS[name].bucket;
    const from = isPinned ? pinnedFrom : startOf(name, now);
    return {
      name: isPinned ? null : name,
      from: new Date(from).toISOString(),
      until: new Date(until).toISOString(),
      bucket,
      choose: (chosen: RangeName) =>
        setParams({ range: chosen === usual ? null : chosen, from: null, until: null }),
      pin: (start = from, end = until) =>
        setParams({
          range: null,
          from: new Date(start).toISOString(),
          until: new Date(end).toISOString(),
        }),
      renew,
    };
  }, [name, usual, now, isPinned, pinnedFrom, pinnedUntil, setParams, renew]);
}

/** The start of a range that ends now: of a whole bucket, so that the first bar is not a part of one. */
function startOf(name: RangeName, now: number): number {
  const { ms, bucket } = LENGTHS[name];
  const size = bucketLength(bucket);
  return Math.floor((now - ms) / size) * size + size;
}

function instant(text: string | null): number | null {
  const ms = text === null ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}
