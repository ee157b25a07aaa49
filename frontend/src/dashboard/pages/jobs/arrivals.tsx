// Jobs that match and are not in the list yet: they wait, until the reader wants them or looks away.
import { useEffect } from 'react';

import { ArrivalsBar } from '../../components/arrivals-bar';
import { useBusy } from '../../components/use-busy';
import { counted, countText, t } from '../../text/text';
import { type JobList, MOST_ARRIVED } from './job-list';

/** At most so often the list takes arrivals by itself. */
const QUIET_MS = 2_000;

interface Props {
  list: JobList;
  onShow: () => void;
}

export function Arrivals({ list: { arrived }, onShow }: Props) {
  const count = arrived.size;
  const isBusy = useBusy('.list');
  useEffect(() => {
    if (count === 0 || isBusy) return;
    const timer = window.setTimeout(onShow, QUIET_MS);
    return () => window.clearTimeout(timer);
  }, [count === 0, isBusy, onShow]);
  const words = countText({ value: count, isExact: count < MOST_ARRIVED });
  return (
    <ArrivalsBar
      count={isBusy ? count : 0}
      text={t('jobs.showNew', { count: counted('jobs.new', count, words) })}
      onTake={() => {
        if (count === 0) return;
        window.scrollTo({ top: 0 });
        onShow();
      }}
    />
  );
}
