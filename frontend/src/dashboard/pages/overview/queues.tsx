// The queues at a glance: what is due, what runs, and how long the next job has waited.
import { Link } from 'wouter';

import { Duration } from '../../components/duration';
import { Foreign } from '../../components/foreign';
import { Panel } from '../../components/panel';
import { useQuery } from '../../data/use-query';
import { OverviewQueuesDocument } from '../../generated/graphql';
import { queuePath } from '../../paths';
import { countText, t } from '../../text/text';

const SHOWN = 8;

export function Queues({ until }: { until: string }) {
  const state = useQuery(OverviewQueuesDocument, {}, { renewed: until });
  return (
    <Panel
      title={t('overview.queues')}
      state={state}
      empty={(data) => (data.queues.length === 0 ? t('panel.empty') : null)}
    >
      {(data) => (
        <table>
          <thead>
            <tr>
              <th scope="col">{t('column.queue')}</th>
              <th scope="col" className="number">
                {t('column.due')}
              </th>
              <th scope="col" className="number">
                {t('column.running')}
              </th>
              <th scope="col" className="number">
                {t('column.latency')}
              </th>
            </tr>
          </thead>
          <tbody>
            {data.queues.slice(0, SHOWN).map((queue) => (
              <tr key={queue.name}>
                <th scope="row" className="cell-text">
                  <Link href={queuePath(queue.name)}>
                    <Foreign text={queue.name} />
                  </Link>
                </th>
                <td className="number">{countText(queue.due)}</td>
                <td className="number">{countText(queue.running)}</td>
                <td className="number">
                  <Duration seconds={queue.latencySeconds} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
