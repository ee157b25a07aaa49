// A number that grows whenever the parts of a page are to be asked for again, and when that was.
import { useCallback, useState } from 'react';

import { serverNow } from '../../components/time';

export interface Turn {
  count: number;
  at: number;
}

export function useTurn(): [Turn, () => void] {
  const [turn, setTurn] = useState<Turn>(() => ({ count: 0, at: serverNow() }));
  const next = useCallback(() => setTurn(({ count }) => ({ count: count + 1, at: serverNow() })), []);
  return [turn, next];
}
