// The errors that were seen last, each with its trend.
import { Link } from 'wouter';

import { Panel } from '../../components/panel';
import { Sparkline } from '../../components/sparkline';
import { Time } from '../../components/time';
import { useQuery } from '../../data/use-query';
import { OverviewErrorsDocument, type OverviewErrorsQuery } from '../../generated/graphql';
import { errorPath } from '../../paths';
import { countText, t } from '../../text/text';
import type { Range } from './range';

type Group = OverviewErrorsQuery['errorGroups']['nodes'][number];

export function TopErrors({ range }: { range: Range }) {
  const state = useQuery(OverviewErrorsDocument, { since: range.from });
  return (
    <Panel
      title={t('overview.topErrors')}
      state={state}
      empty={(data) => (data.errorGroups.nodes.length === 0 ? t('overview.noErrors') : null)}
    >
      {(data) => (
        <table>
          <thead>
            <tr>
              <th scope="col">{t('column.message')}</th>
              <th scope="col" className="wide-only">
                {t('column.trend')}
              </th>
              <th scope="col" className="number">
                {t('column.count')}
              </th>
              <th scope="col">{t('column.lastSeen')}</th>
            </tr>
          </thead>
          <tbody>
            {data.errorGroups.nodes.map((group) => (
              <Row key={group.id} group={group} />
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

function Row({ group }: { group: Group }) {
  return (
    <tr>
      <th scope="row" className="cell-text">
        <Link href={errorPath(group.id)}>{group.message ?? group.code}</Link>
        <span className="muted">{[group.code, ...group.types].filter(Boolean).join(' · ')}</span>
      </th>
      <td className="wide-only">
        <Sparkline values={group.trend} label={group.trend.join(', ')} />
      </td>
      <td className="number">{countText(group.count)}</td>
      <td>
        <Time time={group.lastSeenAt} />
      </td>
    </tr>
  );
}
