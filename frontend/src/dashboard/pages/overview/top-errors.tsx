// The errors that were seen last, each with its trend.
import { ErrorsPanel } from '../../components/errors-panel';
import type { TimeRange } from '../../components/use-time-range';
import { useQuery } from '../../data/use-query';
import { OverviewErrorsDocument } from '../../generated/graphql';
import { t } from '../../text/text';

export function TopErrors({ range }: { range: TimeRange }) {
  const state = useQuery(OverviewErrorsDocument, { since: range.from });
  return (
    <ErrorsPanel
      title={t('overview.topErrors')}
      state={state}
      none={t('overview.noErrors')}
      since={range.from}
    />
  );
}
