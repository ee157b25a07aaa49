// One batch: how much of it is done, as it goes on, and which of its jobs failed.
import { useMemo, useState } from 'react';
import { Link } from 'wouter';

import { Figures } from '../../components/figures';
import { ShortJobTable } from '../../components/short-job-table';
import { Page } from '../../components/page';
import { Panel } from '../../components/panel';
import { StatusBar } from '../../components/status-bar';
import { StatusTag } from '../../components/status-tag';
import { Time } from '../../components/time';
import { UnknownParams } from '../../components/unknown-params';
import { useName } from '../../components/use-name';
import { useServerTime } from '../../components/use-server-time';
import { useThrottled } from '../../components/use-throttled';
import { useSubscription } from '../../data/live';
import { useQuery } from '../../data/use-query';
import {
  BatchDocument,
  BatchJobsDocument,
  BatchLiveDocument,
  type BatchQuery,
  type JobFilter,
} from '../../generated/graphql';
import { jobsPath, term } from '../../paths';
import { counted, countText, number, percent, t } from '../../text/text';
import { fractionDone } from './fraction';

type Batch = Extract<BatchQuery['node'], { __typename: 'Batch' }>;
type Counts = Batch['statusCounts'];

const RENEW_MS = 4_000;

export default function BatchPage() {
  const name = useName();
  const [turn, setTurn] = useState(0);
  const state = useQuery(BatchDocument, { id: `batch:${name}` }, { renewed: turn });
  useServerTime(state);
  const [live, setLive] = useState<{ name: string; counts: Counts }>();
  const later = useThrottled(() => setTurn((before) => before + 1), RENEW_MS);
  const filter = useMemo<JobFilter>(() => ({ batch: { eq: name } }), [name]);
  useSubscription(BatchLiveDocument, { filter }, ({ statusCounts }) => {
    setLive({ name, counts: statusCounts });
    later();
  });
  return (
    <Page
      title={name}
      above={{ path: '/batches', name: t('batches.title') }}
      actions={
        <Link href={jobsPath(term('batch', name))} className="button">
          {t('lists.allJobs')}
        </Link>
      }
    >
      <UnknownParams known={[]} />
      <div className="stack">
        <Panel
          title={t('batches.facts')}
          state={state}
          empty={(data) => (batchOf(data) ? null : t('batches.notFound'))}
        >
          {(data) => (
            <Facts
              batch={batchOf(data) as Batch}
              counts={(live?.name === name ? live.counts : undefined) ?? (batchOf(data) as Batch).statusCounts}
            />
          )}
        </Panel>
        <Jobs filter={{ ...filter, status: ['FAILED', 'DEAD_LETTER'] }} name={name} turn={turn} isFailed />
        <Jobs filter={filter} name={name} turn={turn} />
      </div>
    </Page>
  );
}

function batchOf(data: BatchQuery): Batch | undefined {
  return data.node?.__typename === 'Batch' ? (data.node as Batch) : undefined;
}

function Facts({ batch, counts }: { batch: Batch; counts: Counts }) {
  const jobs = counts.reduce((sum, { count }) => sum + count.value, 0);
  const isExact = counts.every(({ count }) => count.isExact);
  return (
    <>
      <p className="progress-line">
        <b>{percent(fractionDone(counts))}</b> {t('batches.done')} ·{' '}
        {counted('count.jobs', jobs, countText({ value: jobs, isExact }))}
      </p>
      <div className="status-bar-wide">
        <StatusBar counts={counts} />
      </div>
      <ul className="counts">
        {counts
          .filter(({ count }) => count.value > 0)
          .map(({ status, count }) => (
            <li key={status}>
              <Link href={jobsPath(`${term('batch', batch.name)} status:${status.toLowerCase()}`)}>
                <StatusTag status={status} /> {count.isExact ? number(count.value) : countText(count)}
              </Link>
            </li>
          ))}
      </ul>
      <Figures
        figures={[
          { name: t('batches.firstCreated'), value: <Time time={batch.firstCreatedAt} /> },
          {
            name: t('batches.lastFinished'),
            value: batch.lastFinishedAt ? (
              <Time time={batch.lastFinishedAt} />
            ) : (
              t('batches.notFinished')
            ),
          },
        ]}
      />
    </>
  );
}

interface JobsProps {
  filter: JobFilter;
  name: string;
  turn: number;
  isFailed?: boolean;
}

function Jobs({ filter, name, turn, isFailed = false }: JobsProps) {
  const state = useQuery(BatchJobsDocument, { filter }, { renewed: turn });
  const title = t(isFailed ? 'batches.failed' : 'batches.newestJobs');
  const query = isFailed ? `${term('batch', name)} status:failed,dead_letter` : term('batch', name);
  return (
    <Panel
      title={title}
      state={state}
      empty={(data) =>
        data.jobs.nodes.length > 0 ? null : t(isFailed ? 'batches.failedNone' : 'lists.notFound')
      }
      actions={
        state.data && (
          <Link href={jobsPath(query)} className="panel-link">
            {counted('count.jobs', state.data.jobs.count.value, countText(state.data.jobs.count))}
          </Link>
        )
      }
    >
      {(data) => (
        <ShortJobTable
          label={title}
          jobs={data.jobs.nodes}
          columns={isFailed ? ['error', 'attempt', 'run', 'updated'] : ['attempt', 'wait', 'run', 'updated']}
        />
      )}
    </Panel>
  );
}
