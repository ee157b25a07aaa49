// The answer to a query, kept while it is asked again: a view never becomes empty for being renewed.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

import { answers } from './answers';
import { ApiError, type Document, hashOf, send } from './client';

export interface QueryState<R> {
  /** The last answer; of other variables, while `isOld`. */
  data: R | undefined;
  error: ApiError | undefined;
  isLoading: boolean;
  /** Whether `data` is not the answer to what is asked now. */
  isOld: boolean;
  /** When `data` was asked for and received, in milliseconds since the epoch. */
  sentAt: number | undefined;
  receivedAt: number | undefined;
  refetch: () => void;
  /** What was asked: any panel can show it. */
  asked: Asked;
}

export interface Asked {
  text: string;
  variables: unknown;
}

export interface Options {
  /** Do not ask yet. */
  pause?: boolean;
  /** Ask again after so many milliseconds, while the page is visible. */
  everyMs?: number | undefined;
  /** Ask again whenever this changes. */
  renewed?: unknown;
}

interface Found<R> {
  key: string;
  data?: R | undefined;
  error?: ApiError | undefined;
  sentAt?: number | undefined;
  at?: number | undefined;
}

export function useQuery<R, V>(
  document: Document<R, V>,
  variables: V,
  { pause = false, everyMs, renewed }: Options = {},
): QueryState<R> {
  const key = `${hashOf(document)}:${JSON.stringify(variables)}`;
  const [found, setFound] = useState<Found<R>>(() => remembered(key));
  const [turn, setTurn] = useState(0);
  const [busyKey, setBusyKey] = useState<string | null>(null);
  const latest = useRef({ document, variables });
  latest.current = { document, variables };

  useEffect(() => {
    if (pause) return;
    const controller = new AbortController();
    const known = remembered<R>(key);
    if (known.data !== undefined) setFound(known);
    setBusyKey(key);
    const { document: asked, variables: given } = latest.current;
    const sentAt = Date.now();
    send(asked, given, controller.signal).then(
      (data) => {
        const at = Date.now();
        answers.keep(key, data, at);
        setFound({ key, data, sentAt, at });
        setBusyKey(null);
      },
      (error: unknown) => {
        if (controller.signal.aborted) return;
        const fault = error instanceof ApiError ? error : new ApiError('UNREACHABLE', '');
        setFound((before) => ({ ...before, key, error: fault }));
        setBusyKey(null);
      },
    );
    return () => controller.abort();
  }, [key, pause, turn, renewed]);

  const refetch = useCallback(() => setTurn((before) => before + 1), []);
  useInterval(refetch, pause ? undefined : everyMs);
  const text = document.toString();
  const asked = useMemo(
    () => ({ text, variables: JSON.parse(JSON.stringify(variables ?? {})) as unknown }),
    // `key` stands for the variables.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
    [text, key],
  );
  return {
    data: found.data,
    error: found.key === key ? found.error : undefined,
    isLoading: busyKey === key,
    isOld: found.key !== key,
    sentAt: found.sentAt,
    receivedAt: found.at,
    refetch,
    asked,
  };
}

function remembered<R>(key: string): Found<R> {
  const kept = answers.get(key);
  return kept ? { key, data: kept.data as R, at: kept.at } : { key };
}

/** Calls back in an interval, but not while the page is hidden; then as soon as it is shown. */
export function useInterval(callback: () => void, everyMs: number | undefined): void {
  useEffect(() => {
    if (everyMs === undefined) return;
    let last = Date.now();
    const tick = () => {
      if (document.visibilityState === 'hidden' || Date.now() - last < everyMs - 50) return;
      last = Date.now();
      callback();
    };
    const timer = window.setInterval(tick, everyMs);
    document.addEventListener('visibilitychange', tick);
    return () => {
      window.clearInterval(timer);
      document.removeEventListener('visibilitychange', tick);
    };
  }, [callback, everyMs]);
}
