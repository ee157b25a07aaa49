// What the stream is narrowed to, in the URL: statuses, the beginning of a type, who did it, up to when.
import { useMemo } from 'react';

import { type SetParams, useParams } from '../../components/use-param';
import type { JobEventFilter, JobStatus } from '../../generated/graphql';

export const STATUSES = [
  'QUEUED',
  'RUNNING',
  'SUCCEEDED',
  'FAILED',
  'CANCELED',
  'DEAD_LETTER',
] as const satisfies readonly JobStatus[];

export interface ActivityFilter {
  statuses: readonly JobStatus[];
  type: string;
  by: string;
  /** Only events before this time; then nothing new is shown. */
  until: string | null;
  filter: JobEventFilter | null;
  set: SetParams;
}

export function useFilter(): ActivityFilter {
  const [params, set] = useParams();
  return useMemo(() => {
    const named = (params.get('status') ?? '').split(',').map((name) => name.trim().toUpperCase());
    const statuses = STATUSES.filter((status) => named.includes(status));
    const type = params.get('type') ?? '';
    const by = params.get('by') ?? '';
    const at = Date.parse(params.get('until') ?? '');
    const until = Number.isNaN(at) ? null : new Date(at).toISOString();
    const filter: JobEventFilter = {
      ...(statuses.length > 0 && { nextStatus: statuses }),
      ...(type !== '' && { job: { type: { startsWith: type.replace(/\*$/, '') } } }),
      ...(by !== '' && { detailContains: { by } }),
      ...(until !== null && { ts: { lt: until } }),
    };
    const isNarrow = Object.keys(filter).length > 0;
    return { statuses, type, by, until, filter: isNarrow ? filter : null, set };
  }, [params, set]);
}
