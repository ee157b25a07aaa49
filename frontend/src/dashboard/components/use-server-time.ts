// Takes the server's time from an answer that has it.
import { useEffect } from 'react';

import type { QueryState } from '../data/use-query';
import { setServerTime } from './time';

export function useServerTime(state: QueryState<{ server: { now: string } }>): void {
  const { data, sentAt, receivedAt } = state;
  useEffect(() => {
    if (data && sentAt && receivedAt) setServerTime(data.server.now, sentAt, receivedAt);
  }, [data, sentAt, receivedAt]);
}
