// Jobs that match and are not in the list yet: they wait, until the reader wants them or looks away.
import { useEffect } from 'react';

import { useKey } from '../../components/use-key';
import { counted, countText, t } from '../../text/text';
import type { JobList } from './job-list';
import { useBusy } from './use-busy';

/** At most so often the list takes arrivals by itself. */
const QUIET_MS = 2_000;
const MOST = 1_000;

interface Props {
  list: JobList;
  onShow: () => void;
}

export function Arrivals({ list: { arrived }, onShow }: Props) {
  const count = arrived.size;
  const isBusy = useBusy('.list');
  useKey('.', () => {
    if (count === 0) return;
    window.scrollTo({ top: 0 });
    onShow();
  });
  useEffect(() => {
    if (count === 0 || isBusy) return;
    const timer = window.setTimeout(onShow, QUIET_MS);
    return () => window.clearTimeout(timer);
  }, [count === 0, isBusy, onShow]);
  if (count === 0 || !isBusy) return <span />;
  const words = counted('jobs.new', count, countText({ value: count, isExact: count < MOST }));
  return (
    <button type="button" className="arrivals" aria-keyshortcuts="." onClick={onShow}>
      {t('jobs.showNew', { count: words })}
    </button>
  );
}
