// The workers that run jobs of any queue, or did so in the last minutes.
import { Link } from 'wouter';

import { DataTable } from '../../components/data-table';
import { Foreign } from '../../components/foreign';
import { Panel } from '../../components/panel';
import { Time } from '../../components/time';
import { useQuery } from '../../data/use-query';
import { WorkersDocument } from '../../generated/graphql';
import { jobsPath, term } from '../../paths';
import { countText, t } from '../../text/text';

const RENEW_MS = 10_000;

export function Workers({ minutes }: { minutes: number }) {
  const state = useQuery(WorkersDocument, { minutes }, { everyMs: RENEW_MS });
  return (
    <Panel
      title={t('queues.workers')}
      className="narrow"
      state={state}
      empty={(data) => (data.workers.length === 0 ? t('queues.workersNone') : null)}
    >
      {(data) => (
        <DataTable
          label={t('queues.workers')}
          rows={data.workers}
          rowKey={({ name }) => name}
          columns={[
            {
              key: 'name',
              heading: t('column.worker'),
              isHeading: true,
              isText: true,
              cell: ({ name }) => (
                <Link href={jobsPath(term('worker', name))}>
                  <Foreign text={name} />
                </Link>
              ),
            },
            {
              key: 'running',
              heading: t('queues.running'),
              isNumber: true,
              cell: ({ running }) => countText(running),
            },
            {
              key: 'seen',
              heading: t('column.lastSeen'),
              cell: ({ lastSeenAt }) => <Time time={lastSeenAt} />,
            },
          ]}
        />
      )}
    </Panel>
  );
}
