// Which rows are selected: one by one, by a range, or all that match.
import { useCallback, useState } from 'react';

export interface Selection {
  ids: ReadonlySet<string>;
  /** Whether it is all jobs that match, whether they were read or not. */
  isAll: boolean;
  toggle: (id: string) => void;
  /** Selects from the row that was toggled last to this one. */
  toggleTo: (id: string, order: readonly string[]) => void;
  selectAll: () => void;
  set: (ids: readonly string[]) => void;
  clear: () => void;
}

interface State {
  ids: ReadonlySet<string>;
  isAll: boolean;
  last: string | null;
}

const NOTHING: State = { ids: new Set(), isAll: false, last: null };

export function useSelection(): Selection {
  const [state, setState] = useState(NOTHING);
  const toggle = useCallback((id: string) => {
    setState(({ ids }) => {
      const next = new Set(ids);
      if (!next.delete(id)) next.add(id);
      return { ids: next, isAll: false, last: id };
    });
  }, []);
  const toggleTo = useCallback((id: string, order: readonly string[]) => {
    setState(({ ids, last }) => {
      const from = last === null ? -1 : order.indexOf(last);
      const to = order.indexOf(id);
      const range = from < 0 ? [id] : order.slice(Math.min(from, to), Math.max(from, to) + 1);
      return { ids: new Set([...ids, ...range]), isAll: false, last: id };
    });
  }, []);
  const selectAll = useCallback(() => setState((before) => ({ ...before, isAll: true })), []);
  const set = useCallback(
    (ids: readonly string[]) => setState({ ids: new Set(ids), isAll: false, last: null }),
    [],
  );
  const clear = useCallback(() => setState(NOTHING), []);
  return { ids: state.ids, isAll: state.isAll, toggle, toggleTo, selectAll, set, clear };
}
