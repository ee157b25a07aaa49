// The page that people open first: how it goes, and what needs attention.
import { useCallback, useRef } from 'react';

import { Choice } from '../../components/choice';
import { Page } from '../../components/page';
import { t } from '../../text/text';
import { Attention } from './attention';
import { LiveEvents } from './live-events';
import { Queues } from './queues';
import { RANGES, useRange } from './range';
import { Statuses } from './statuses';
import { Throughput } from './throughput';
import { TopErrors } from './top-errors';
import { Types } from './types';

const RENEW_MS = 5_000;

export function Overview() {
  const range = useRange();
  const onEvent = useThrottled(range.renew, RENEW_MS);
  return (
    <Page
      title={t('overview.title')}
      actions={
        <Choice
          label={t('range.label')}
          value={range.name}
          options={RANGES.map((name) => ({ value: name, label: t(`range.${name}`) }))}
          onChange={range.choose}
        />
      }
    >
      <Statuses />
      <div className="columns">
        <div className="column-main">
          <Attention until={range.until} />
          <Throughput range={range} />
          <TopErrors range={range} />
          <Types range={range} />
        </div>
        <div className="column-side">
          <Queues until={range.until} />
          <LiveEvents onEvent={onEvent} />
        </div>
      </div>
    </Page>
  );
}

/** Calls at most once in an interval, the last time at its end. */
function useThrottled(callback: () => void, everyMs: number): () => void {
  const waits = useRef(false);
  const latest = useRef(callback);
  latest.current = callback;
  return useCallback(() => {
    if (waits.current) return;
    waits.current = true;
    window.setTimeout(() => {
      waits.current = false;
      latest.current();
    }, everyMs);
  }, [everyMs]);
}
