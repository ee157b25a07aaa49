// The height of a row in pixels: fixed by the density, so that the list knows where each row is.
import { useSyncExternalStore } from 'react';

import { settings } from '../../settings/settings';

const NARROW = '(max-width: 700px)';
const COARSE = '(pointer: coarse)';

const COMPACT = 30;
const COMFORTABLE = 40;
const CARD = 76;

export function useRowHeight(): number {
  const isCard = useMedia(NARROW);
  const isCoarse = useMedia(COARSE);
  if (isCard) return CARD;
  return settings.density === 'comfortable' || isCoarse ? COMFORTABLE : COMPACT;
}

function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const list = window.matchMedia(query);
      list.addEventListener('change', listener);
      return () => list.removeEventListener('change', listener);
    },
    () => window.matchMedia(query).matches,
  );
}
