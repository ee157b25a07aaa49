// The keys that work on every page, the palette, and the list of all keys.
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { useLocation } from 'wouter';

import { Palette } from './palette';
import { useKey } from './use-key';

const KeyHelp = lazy(() => import('./key-help'));

/** After `g`, these keys lead to pages. */
export const PLACES = {
  o: '/',
  j: '/jobs',
  e: '/errors',
  q: '/queues',
  t: '/types',
  b: '/batches',
  s: '/sources',
  a: '/activity',
} as const;

const AFTER_MS = 1_500;

type Opened = 'palette' | 'help' | null;

export function Shortcuts() {
  const [opened, setOpened] = useState<Opened>(null);
  useSequences();
  useKey('?', () => setOpened('help'));
  useEffect(() => {
    function onKeyDown(event: KeyboardEvent) {
      if (event.key.toLowerCase() !== 'k' || !(event.metaKey || event.ctrlKey)) return;
      event.preventDefault();
      setOpened('palette');
    }
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
  const close = () => setOpened(null);
  return (
    <Suspense>
      {opened === 'palette' && <Palette onClose={close} />}
      {opened === 'help' && <KeyHelp onClose={close} />}
    </Suspense>
  );
}

function useSequences(): void {
  const [, navigate] = useLocation();
  const since = useRef(0);
  useKey('g', () => (since.current = Date.now()));
  useEffect(() => {
    function onKeyDown(event: KeyboardEvent) {
      if (event.defaultPrevented || Date.now() - since.current > AFTER_MS) return;
      const place = PLACES[event.key as keyof typeof PLACES] as string | undefined;
      if (event.key !== 'g') since.current = 0;
      if (place === undefined) return;
      event.preventDefault();
      navigate(place);
    }
    window.addEventListener('keydown', onKeyDown, { capture: true });
    return () => window.removeEventListener('keydown', onKeyDown, { capture: true });
  }, [navigate]);
}
