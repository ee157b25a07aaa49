// How many jobs have each status, now.
import { useState } from 'react';
import { Link } from 'wouter';

import { Icon, type IconName } from '../../components/icon';
import { PanelBody } from '../../components/panel';
import { QueryButton } from '../../components/query-button';
import { useServerTime } from '../../components/use-server-time';
import { useSubscription } from '../../data/live';
import { useQuery } from '../../data/use-query';
import {
  type JobStatus,
  OverviewStatusesDocument,
  OverviewStatusesLiveDocument,
  type OverviewStatusesQuery,
} from '../../generated/graphql';
import { jobsPath } from '../../paths';
import { countText, t } from '../../text/text';

type Counts = OverviewStatusesQuery['statusCounts'];

/** What the search language calls a status, where that differs from its name. */
const WORDS: Partial<Record<JobStatus, string>> = { DEAD_LETTER: 'dead' };

export function Statuses() {
  const state = useQuery(OverviewStatusesDocument, {});
  const [counts, setCounts] = useState<Counts>();
  useSubscription(OverviewStatusesLiveDocument, {}, (data) => setCounts(data.statusCounts));
  useServerTime(state);
  return (
    <section className="tiles" aria-label={t('overview.statuses')}>
      <PanelBody state={state} lines={1}>
        {(data) => (
          <ul>
            {(counts ?? data.statusCounts).map(({ status, count }) => (
              <Tile key={status} status={status} count={countText(count)} />
            ))}
          </ul>
        )}
      </PanelBody>
      <QueryButton title={t('overview.statuses')} asked={state.asked} />
    </section>
  );
}

function Tile({ status, count }: { status: JobStatus; count: string }) {
  const name = status.toLowerCase();
  return (
    <li>
      <Link href={jobsPath(`status:${WORDS[status] ?? name}`)} className={`tile tile-${name}`}>
        <span className="tile-name">
          <Icon name={name as IconName} size={14} />
          {t(`status.${status}`)}
        </span>
        <span className="tile-count">{count}</span>
      </Link>
    </li>
  );
}
