// The types with the most jobs: how long they take, and how often they fail.
import { Link } from 'wouter';

import { Duration } from '../../components/duration';
import { Foreign } from '../../components/foreign';
import { Panel } from '../../components/panel';
import type { TimeRange } from '../../components/use-time-range';
import { useQuery } from '../../data/use-query';
import { OverviewTypesDocument, type OverviewTypesQuery } from '../../generated/graphql';
import { typePath } from '../../paths';
import { number, percent, t } from '../../text/text';

type Group = OverviewTypesQuery['jobGroups'][number];

export function Types({ range }: { range: TimeRange }) {
  const state = useQuery(OverviewTypesDocument, { since: range.from });
  return (
    <Panel
      title={t('overview.slowest')}
      state={state}
      empty={(data) => (data.jobGroups.length === 0 ? t('panel.empty') : null)}
    >
      {(data) => (
        <table>
          <thead>
            <tr>
              <th scope="col">{t('column.type')}</th>
              <th scope="col" className="number">
                {t('nav.jobs')}
              </th>
              <th scope="col" className="number wide-only">
                {t('column.median')}
              </th>
              <th scope="col" className="number">
                {t('column.p95')}
              </th>
              <th scope="col" className="number">
                {t('column.failures')}
              </th>
            </tr>
          </thead>
          <tbody>{data.jobGroups.map((group) => <Row key={group.key.type} group={group} />)}</tbody>
        </table>
      )}
    </Panel>
  );
}

function Row({ group }: { group: Group }) {
  const type = group.key.type ?? '';
  const failed = group.statusCounts
    .filter(({ status }) => status === 'FAILED' || status === 'DEAD_LETTER')
    .reduce((sum, { count }) => sum + count.value, 0);
  return (
    <tr>
      <th scope="row" className="cell-text">
        <Link href={typePath(type)}>
          <Foreign text={type} />
        </Link>
      </th>
      <td className="number">{number(group.count)}</td>
      <td className="number wide-only">
        <Duration seconds={group.run.p50} />
      </td>
      <td className="number">
        <Duration seconds={group.run.p95} />
      </td>
      <td className="number">{percent(group.count === 0 ? 0 : failed / group.count)}</td>
    </tr>
  );
}
