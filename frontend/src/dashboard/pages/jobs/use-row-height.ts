// The height of a row in pixels: fixed by the density, so that the list knows where each row is.
import { useSyncExternalStore } from 'react';

import { settings } from '../../settings/settings';

const NARROW = window.matchMedia('(max-width: 700px)');
const COARSE = window.matchMedia('(pointer: coarse)');

const COMPACT = 30;
const COMFORTABLE = 40;
const CARD = 76;

export function useRowHeight(): number {
  const isCard = useMedia(NARROW);
  const isCoarse = useMedia(COARSE);
  if (isCard) return CARD;
  return settings.density === 'comfortable' || isCoarse ? COMFORTABLE : COMPACT;
}

function useMedia(media: MediaQueryList): boolean {
  return useSyncExternalStore(
    (listener) => {
      media.addEventListener('change', listener);
      return () => media.removeEventListener('change', listener);
    },
    () => media.matches,
  );
}
