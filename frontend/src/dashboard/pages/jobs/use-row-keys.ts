// The keys of the list: `j` and `k` go through the rows, `x` selects.
import { useEffect, useRef } from 'react';

import { useKey } from '../../components/use-key';
import type { JobList } from './job-list';
import type { Selection } from './use-selection';

interface Keys {
  list: JobList;
  selection: Selection | null;
  at: string | null;
  onAt: (id: string) => void;
  scrollTo: (index: number) => void;
}

export function useRowKeys({ list, selection, at, onAt, scrollTo }: Keys): void {
  const wanted = useRef<string | null>(null);
  const ids = () => list.rows.map(({ id }) => id);

  function go(distance: number) {
    const known = ids();
    const index = at === null ? -1 : known.indexOf(at);
    const next = Math.min(known.length - 1, Math.max(0, index < 0 ? 0 : index + distance));
    const id = known[next];
    if (id === undefined) return;
    wanted.current = id;
    onAt(id);
    scrollTo(next);
  }

  // The row exists only after it was scrolled to.
  useEffect(() => {
    if (wanted.current === null) return;
    const row = document.querySelector<HTMLElement>(`tr[data-id="${wanted.current}"]`);
    if (!row) return;
    wanted.current = null;
    row.focus({ preventScroll: true });
  });

  useKey('j', () => go(1));
  useKey('k', () => go(-1));
  useKey('x', () => at && selection?.toggle(at));
  useKey('shift+x', () => at && selection?.toggleTo(at, ids()));
}
