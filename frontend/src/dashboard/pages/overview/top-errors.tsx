// The errors that were seen last, each with its trend.
import { ErrorsPanel } from '../../components/errors-panel';
import type { TimeRange } from '../../components/use-time-range';
import { type Options, useQuery } from '../../data/use-query';
import { OverviewErrorsDocument } from '../../generated/graphql';
import { t } from '../../text/text';

export function TopErrors({ range, options }: { range: TimeRange; options: Options }) {
  const state = useQuery(OverviewErrorsDocument, { since: range.from }, options);
  return (
    <ErrorsPanel
      title={t('overview.topErrors')}
      state={state}
      none={t('overview.noErrors')}
      since={range.from}
    />
  );
}
