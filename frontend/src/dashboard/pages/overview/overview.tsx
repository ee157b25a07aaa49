// The page that people open first: how it goes, and what needs attention.
import { useEffect } from 'react';

import { Page } from '../../components/page';
import { RangeChoice } from '../../components/range-choice';
import { UnknownParams } from '../../components/unknown-params';
import { RANGE_PARAMS, useTimeRange } from '../../components/use-time-range';
import { useTurns } from '../../components/use-turns';
import { useLiveness } from '../../data/live';
import { t } from '../../text/text';
import { Attention } from './attention';
import { LiveEvents } from './live-events';
import { Queues } from './queues';
import { Statuses } from './statuses';
import { Throughput } from './throughput';
import { TopErrors } from './top-errors';
import { Types } from './types';

const PANELS = ['attention', 'throughput', 'errors', 'types', 'queues'] as const;
const TURN_MS = 1_000;
const REST_MS = 60_000;

export function Overview() {
  const isLive = useLiveness() === 'live';
  const range = useTimeRange('day', isLive);
  const [turns, onEvent] = useTurns(PANELS, TURN_MS);
  const { renew } = range;
  useEffect(() => {
    if (turns.throughput > 0) renew();
  }, [turns.throughput, renew]);
  // Without events, these stay as they are, except for what a page that is not live has missed.
  const everyMs = isLive ? undefined : REST_MS;
  return (
    <Page title={t('overview.title')} actions={<RangeChoice range={range} />}>
      <UnknownParams known={RANGE_PARAMS} />
      <Statuses since={range.from} />
      <div className="columns">
        <div className="column-main">
          <Attention options={{ renewed: turns.attention, everyMs: REST_MS }} />
          <Throughput range={range} />
          <TopErrors range={range} options={{ renewed: turns.errors, everyMs }} />
          <Types range={range} options={{ renewed: turns.types, everyMs }} />
        </div>
        <div className="column-side">
          <Queues options={{ renewed: turns.queues, everyMs: REST_MS }} />
          <LiveEvents onEvent={onEvent} />
        </div>
      </div>
    </Page>
  );
}
