// How many jobs have each status, now and at another time.
import { type ReactNode, useState } from 'react';
import { Link } from 'wouter';

import { Icon, type IconName } from '../../components/icon';
import { PanelBody } from '../../components/panel';
import { QueryButton } from '../../components/query-button';
import { Time } from '../../components/time';
import { useServerTime } from '../../components/use-server-time';
import { useSubscription } from '../../data/live';
import { useQuery } from '../../data/use-query';
import {
  type JobStatus,
  OverviewStatusesAtDocument,
  OverviewStatusesDocument,
  OverviewStatusesLiveDocument,
  type OverviewStatusesQuery,
} from '../../generated/graphql';
import { jobsPath } from '../../paths';
import { countText, t } from '../../text/text';

type Counts = OverviewStatusesQuery['statusCounts'];

/** What the search language calls a status, where that differs from its name. */
const WORDS: Partial<Record<JobStatus, string>> = { DEAD_LETTER: 'dead' };

/** `since`: the other time. Without an answer for it, only the counts of now are shown. */
export function Statuses({ since }: { since: string }) {
  const state = useQuery(OverviewStatusesDocument, {});
  const then = useQuery(OverviewStatusesAtDocument, { at: since });
  const before = then.isOld ? undefined : then.data?.statusCounts;
  const [counts, setCounts] = useState<Counts>();
  useSubscription(OverviewStatusesLiveDocument, {}, (data) => setCounts(data.statusCounts));
  useServerTime(state);
  return (
    <section className="tiles" aria-label={t('overview.statuses')}>
      <PanelBody state={state} lines={1}>
        {(data) => (
          <ul>
            {(counts ?? data.statusCounts).map(({ status, count }) => (
              <Tile key={status} status={status} count={countText(count)}>
                {before && (
                  <span className="tile-before">
                    <Time time={since} />
                    {`: ${countText(countOf(before, status))}`}
                  </span>
                )}
              </Tile>
            ))}
          </ul>
        )}
      </PanelBody>
      <QueryButton title={t('overview.statuses')} asked={[state.asked, then.asked]} />
    </section>
  );
}

function countOf(counts: Counts, status: JobStatus) {
  return counts.find((each) => each.status === status)?.count ?? { value: 0, isExact: true };
}

interface TileProps {
  status: JobStatus;
  count: string;
  children: ReactNode;
}

function Tile({ status, count, children }: TileProps) {
  const name = status.toLowerCase();
  return (
    <li>
      <Link href={jobsPath(`status:${WORDS[status] ?? name}`)} className={`tile tile-${name}`}>
        <span className="tile-name">
          <Icon name={name as IconName} size={14} />
          {t(`status.${status}`)}
        </span>
        <span className="tile-count">{count}</span>
        {children}
      </Link>
    </li>
  );
}
