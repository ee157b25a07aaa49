// The page that people open first: how it goes, and what needs attention.
import { Page } from '../../components/page';
import { RangeChoice } from '../../components/range-choice';
import { UnknownParams } from '../../components/unknown-params';
import { useThrottled } from '../../components/use-throttled';
import { RANGE_PARAMS, useTimeRange } from '../../components/use-time-range';
import { t } from '../../text/text';
import { Attention } from './attention';
import { LiveEvents } from './live-events';
import { Queues } from './queues';
import { Statuses } from './statuses';
import { Throughput } from './throughput';
import { TopErrors } from './top-errors';
import { Types } from './types';

const RENEW_MS = 5_000;

export function Overview() {
  const range = useTimeRange();
  const onEvent = useThrottled(range.renew, RENEW_MS);
  return (
    <Page title={t('overview.title')} actions={<RangeChoice range={range} />}>
      <UnknownParams known={RANGE_PARAMS} />
      <Statuses since={range.from} />
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
