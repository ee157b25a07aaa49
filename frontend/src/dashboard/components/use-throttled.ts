// Calls at most once in an interval, the last time at its end.
import { useCallback, useEffect, useRef } from 'react';

export function useThrottled(callback: () => void, everyMs: number): () => void {
  const timer = useRef(0);
  const latest = useRef(callback);
  latest.current = callback;
  useEffect(() => () => window.clearTimeout(timer.current), []);
  return useCallback(() => {
    timer.current ||= window.setTimeout(() => {
      timer.current = 0;
      latest.current();
    }, everyMs);
  }, [everyMs]);
}
