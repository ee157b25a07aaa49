// After events, the panels of a page are asked again in turn: neither the page nor the server does the work of all
// of them at once.
import { useCallback, useEffect, useRef, useState } from 'react';

export type Turns<Name extends string> = Readonly<Record<Name, number>>;

/**
 * Counts the turns of each panel, and returns what begins a round of them. `everyMs` passes before each turn; events
 * during a round lead to one more.
 */
export function useTurns<Name extends string>(
  names: readonly Name[],
  everyMs: number,
): [Turns<Name>, () => void] {
  const [turns, setTurns] = useState(() => countOf(names));
  const timer = useRef(0);
  const isDue = useRef(false);
  useEffect(() => () => window.clearTimeout(timer.current), []);

  const begin = useCallback(() => {
    const next = (at: number) => {
      timer.current = window.setTimeout(() => {
        const name = names[at];
        if (name !== undefined) setTurns((before) => ({ ...before, [name]: before[name] + 1 }));
        if (at + 1 < names.length) next(at + 1);
        else if (isDue.current) round();
        else timer.current = 0;
      }, everyMs);
    };
    const round = () => {
      isDue.current = false;
      next(0);
    };
    if (timer.current === 0) round();
    else isDue.current = true;
  }, [names, everyMs]);
  return [turns, begin];
}

function countOf<Name extends string>(names: readonly Name[]): Turns<Name> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Turns<Name>;
}
