// The jobs under way that do worse than is usual for their types.
import { Link } from 'wouter';

import { Foreign } from '../../components/foreign';
import { Panel } from '../../components/panel';
import { HealthTag } from '../../components/status-tag';
import { Time } from '../../components/time';
import { type Options, useQuery } from '../../data/use-query';
import {
  type HealthVerdict,
  OverviewAttentionDocument,
  type OverviewAttentionQuery,
} from '../../generated/graphql';
import { jobPath, jobsPath } from '../../paths';
import { counted, countText, t } from '../../text/text';

type Found = OverviewAttentionQuery['late'];

const VERDICTS = [
  ['stuck', 'STUCK'],
  ['late', 'LATE'],
  ['flapping', 'FLAPPING'],
  ['slow', 'SLOW'],
] as const satisfies readonly (readonly [keyof OverviewAttentionQuery, HealthVerdict])[];

export function Attention({ options }: { options: Options }) {
  const state = useQuery(OverviewAttentionDocument, {}, options);
  return (
    <Panel
      title={t('overview.attention')}
      state={state}
      empty={(data) =>
        VERDICTS.every(([name]) => data[name].count.value === 0) ? t('overview.attentionNone') : null
      }
    >
      {(data) => (
        <ul className="attention">
          {VERDICTS.map(([name, verdict]) => (
            <Group key={name} verdict={verdict} found={data[name]} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Group({ verdict, found }: { verdict: HealthVerdict; found: Found }) {
  if (found.count.value === 0) return null;
  return (
    <li>
      <Link href={jobsPath(`health:${verdict.toLowerCase()}`)} className="attention-count">
        <HealthTag verdict={verdict} />
        {counted('count.jobs', found.count.value, countText(found.count))}
      </Link>
      <ul>
        {found.nodes.map((job) => (
          <li key={job.id}>
            <Link href={jobPath(job.id)}>
              <Foreign text={job.type} />
            </Link>
            <span className="muted">
              <Foreign text={job.queue} /> · <Time time={job.health.since ?? job.updatedAt} />
            </span>
          </li>
        ))}
      </ul>
    </li>
  );
}
