// Short notes on what was done, read out by screen readers, each with one way back.
import { useSyncExternalStore } from 'react';

import { t } from '../text/text';
import { Icon } from './icon';

export interface Toast {
  text: string;
  isError?: boolean;
  action?: { label: string; run: () => void };
}

const LONG_MS = 10_000;

let shown: readonly (Toast & { id: number })[] = [];
let count = 0;
const listeners = new Set<() => void>();

function set(next: typeof shown): void {
  shown = next;
  for (const listener of listeners) listener();
}

function remove(id: number): void {
  set(shown.filter((each) => each.id !== id));
}

export function toast(given: Toast): void {
  const id = ++count;
  set([...shown.slice(-2), { ...given, id }]);
  window.setTimeout(() => remove(id), LONG_MS);
}

export function Toasts() {
  const toasts = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => shown,
  );
  return (
    <div className="toasts" role="status">
      {toasts.map(({ id, text, isError, action }) => (
        <div key={id} className={isError ? 'toast toast-error' : 'toast'}>
          <span>{text}</span>
          {action && (
            <button type="button" onClick={() => (action.run(), remove(id))}>
              {action.label}
            </button>
          )}
          <button
            type="button"
            className="quiet"
            aria-label={t('panel.close')}
            onClick={() => remove(id)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
