// Says how many new rows wait, and lets the reader take them: by the button or the key `.`.
import { useEffect, useRef, useState } from 'react';

import { settings } from '../settings/settings';
import { useKey } from './use-key';

/** Screen readers are not interrupted more often. */
const SPOKEN_MS = 10_000;

interface Props {
  count: number;
  /** What it says, such as `12 new`. */
  text: string;
  onTake: () => void;
}

export function ArrivalsBar({ count, text, onTake }: Props) {
  useKey('.', onTake);
  const spoken = useSlow(count > 0 ? text : '');
  return (
    <div className="arrivals-bar">
      {count > 0 && (
        <button
          type="button"
          className="arrivals-button"
          aria-keyshortcuts={settings.hasSingleKeys ? '.' : undefined}
          onClick={onTake}
        >
          {text}
          {settings.hasSingleKeys && <kbd aria-hidden="true">.</kbd>}
        </button>
      )}
      <span className="hidden" role="status">
        {spoken}
      </span>
    </div>
  );
}

/** A text that changes at most once in ten seconds. */
function useSlow(text: string): string {
  const [slow, setSlow] = useState('');
  const changedAt = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    if (text === slow) return;
    const wait = Math.max(0, changedAt.current + SPOKEN_MS - performance.now());
    const timer = window.setTimeout(() => {
      changedAt.current = performance.now();
      setSlow(text);
    }, wait);
    return () => window.clearTimeout(timer);
  }, [text, slow]);
  return slow;
}
