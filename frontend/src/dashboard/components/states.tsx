// What is shown instead of data: that it is loading, that there is none, or why it cannot be had.
import { type ReactNode, useEffect, useState } from 'react';

import type { ApiError } from '../data/client';
import { t, tIfAny } from '../text/text';
import { Icon } from './icon';

export function Loading({ lines = 3 }: { lines?: number }) {
  return (
    <div className="loading" role="status" aria-label={t('panel.loading')}>
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} className="loading-line" />
      ))}
    </div>
  );
}

export function EmptyState({ children }: { children: ReactNode }) {
  return <p className="empty">{children}</p>;
}

export function ErrorState({ error, onRetry }: { error: ApiError; onRetry: () => void }) {
  const seconds = useCountdown(error);
  return (
    <div className="error-state" role="alert">
      <Icon name="warning" />
      <p>
        <strong>{t('error.title')}.</strong> {describe(error, seconds)}
      </p>
      <button type="button" disabled={seconds > 0} onClick={onRetry}>
        {t('panel.retry')}
      </button>
    </div>
  );
}

export function describe(error: ApiError, seconds = error.retryAfterSeconds ?? 0): string {
  const other = t('error.other', { code: error.code, message: error.message });
  return tIfAny(`error.${error.code}`, other, { seconds });
}

/** The seconds until the server wants to be asked again. */
function useCountdown(error: ApiError): number {
  const [seconds, setSeconds] = useState(error.retryAfterSeconds ?? 0);
  useEffect(() => {
    setSeconds(error.retryAfterSeconds ?? 0);
    if (!error.retryAfterSeconds) return;
    const timer = window.setInterval(() => setSeconds((left) => Math.max(0, left - 1)), 1_000);
    return () => window.clearInterval(timer);
  }, [error]);
  return seconds;
}
