// In how long a queue is empty, if it goes on as in the last minutes.
import { Duration } from '../../components/duration';
import { useNow } from '../../components/time';
import { t } from '../../text/text';
import type { Queue } from './queues-table';

export function Drain({ queue: { due, drainEta } }: { queue: Pick<Queue, 'due' | 'drainEta'> }) {
  const now = useNow();
  if (drainEta !== null) {
    return (
      <span title={t('queues.drainHint')}>
        <Duration seconds={Math.max(0, Math.round((Date.parse(drainEta) - now) / 1_000))} />
      </span>
    );
  }
  return (
    <span className="muted" title={due.value > 0 ? t('queues.growing') : undefined}>
      –
    </span>
  );
}
