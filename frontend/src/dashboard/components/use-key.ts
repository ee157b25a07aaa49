// Shortcuts of single keys. They can be switched off, and never act while something is typed.
import { useEffect, useRef } from 'react';

import { settings } from '../settings/settings';

const TYPED_IN = 'input, textarea, select, [contenteditable="true"]';

/** Calls back when the key is pressed alone; `shift+x` for one with Shift. */
export function useKey(key: string, callback: () => void): void {
  const handler = useRef(callback);
  handler.current = callback;
  useEffect(() => {
    function onKeyDown(event: KeyboardEvent) {
      if (!settings.hasSingleKeys || event.defaultPrevented) return;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const target = event.target as Element | null;
      if (target?.closest(TYPED_IN) || document.querySelector('dialog[open]')) return;
      const isLetter = /^[A-Z]$/.test(event.key);
      const pressed = isLetter && event.shiftKey ? `shift+${event.key.toLowerCase()}` : event.key;
      if (pressed !== key) return;
      event.preventDefault();
      handler.current();
    }
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [key]);
}
