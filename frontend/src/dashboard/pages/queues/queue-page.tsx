// One queue: its figures, what goes next, what runs, and who works on it.
import { Link } from 'wouter';

import { Duration } from '../../components/duration';
import { Figures } from '../../components/figures';
import { Page } from '../../components/page';
import { Panel, PanelBody } from '../../components/panel';
import { RangeChoice } from '../../components/range-choice';
import { Throughput } from '../../components/throughput';
import { Time } from '../../components/time';
import { UnknownParams } from '../../components/unknown-params';
import { useName } from '../../components/use-name';
import { usePulse } from '../../components/use-pulse';
import { useServerTime } from '../../components/use-server-time';
import { RANGE_PARAMS, type TimeRange, useTimeRange } from '../../components/use-time-range';
import { useInterval, useQuery } from '../../data/use-query';
import { QueueDocument, QueueTimelineDocument } from '../../generated/graphql';
import { jobsPath, term } from '../../paths';
import { timeZone } from '../../settings/settings';
import { countText, t } from '../../text/text';
import { Drain } from './drain';
import { GoNext, Longest, Running } from './queue-jobs';
import { QueueTypes, QueueWorkers } from './queue-sides';
import type { Queue } from './queues-table';
import { perMinute } from './rates';
import { useTurn } from './use-turn';

const MINUTES = 15;
const RENEW_MS = 10_000;

export default function QueuePage() {
  const name = useName();
  const range = useTimeRange('hour');
  const [turn, renew] = useTurn();
  const state = useQuery(QueueDocument, { minutes: MINUTES, name }, { renewed: turn });
  useServerTime(state);
  useInterval(renew, RENEW_MS);
  usePulse(renew, { queue: { eq: name } });
  return (
    <Page
      title={name}
      above={{ path: '/queues', name: t('queues.title') }}
      actions={
        <>
          <Link href={jobsPath(term('queue', name))} className="button">
            {t('lists.allJobs')}
          </Link>
          <RangeChoice range={range} />
        </>
      }
    >
      <UnknownParams known={RANGE_PARAMS} />
      <PanelBody
        state={state}
        lines={3}
        empty={(data) => (data.queues.every(isQuiet) ? t('queues.quiet') : null)}
      >
        {(data) => data.queues.map((queue) => <Facts key={queue.name} queue={queue} />)}
      </PanelBody>
      <div className="columns">
        <div className="column-main">
          <Timeline name={name} range={range} />
          <GoNext queue={name} turn={turn} />
          <Running queue={name} turn={turn} />
          <Longest queue={name} turn={turn} />
        </div>
        <div className="column-side">
          <QueueTypes queue={name} turn={turn} />
          <QueueWorkers queue={name} turn={turn} />
        </div>
      </div>
    </Page>
  );
}

function isQuiet({ due, scheduled, running, started, succeeded, failed }: Queue): boolean {
  return due.value + scheduled.value + running.value + started + succeeded + failed === 0;
}

function Facts({ queue }: { queue: Queue }) {
  return (
    <Figures
      figures={[
        { name: t('queues.due'), value: countText(queue.due) },
        { name: t('queues.latency'), value: <Duration seconds={queue.latencySeconds} /> },
        {
          name: t('column.oldest'),
          value: queue.oldestDueAt === null ? '–' : <Time time={queue.oldestDueAt} />,
        },
        { name: t('queues.running'), value: countText(queue.running) },
        { name: t('queues.scheduled'), value: countText(queue.scheduled) },
        { name: t('queues.started'), value: perMinute(queue.started, MINUTES) },
        { name: t('queues.failed'), value: perMinute(queue.failed, MINUTES) },
        { name: t('column.waitP95'), value: <Duration seconds={queue.wait.p95} /> },
        { name: t('column.runP95'), value: <Duration seconds={queue.run.p95} /> },
        { name: t('queues.drain'), value: <Drain queue={queue} /> },
      ]}
    />
  );
}

function Timeline({ name, range }: { name: string; range: TimeRange }) {
  const { from, until, bucket } = range;
  const filter = { queue: { eq: name } };
  const state = useQuery(QueueTimelineDocument, { filter, from, until, bucket, timeZone });
  return (
    <Panel title={t('queues.throughput')} state={state} lines={6}>
      {(data) => (
        <Throughput
          buckets={data.timeline}
          until={until}
          label={t('queues.throughput')}
          query={term('queue', name)}
        />
      )}
    </Panel>
  );
}
