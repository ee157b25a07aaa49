// One type of jobs: how long its jobs wait and run over time, how often they fail, and why.
import { Link } from 'wouter';

import { Duration } from '../../components/duration';
import { Figures } from '../../components/figures';
import { Page } from '../../components/page';
import { PanelBody } from '../../components/panel';
import { QueryButton } from '../../components/query-button';
import { RangeChoice } from '../../components/range-choice';
import { StatusBar } from '../../components/status-bar';
import { UnknownParams } from '../../components/unknown-params';
import { useName } from '../../components/use-name';
import { useServerTime } from '../../components/use-server-time';
import { RANGE_PARAMS, type TimeRange, useTimeRange } from '../../components/use-time-range';
import { useQuery } from '../../data/use-query';
import { type TypeGroupFragment, TypesDocument } from '../../generated/graphql';
import { jobsPath, term, timeTerm } from '../../paths';
import { number, percent, t } from '../../text/text';
import { failureRate } from './failure-rate';
import { Slowest } from './slowest';
import { TypeCharts } from './type-charts';
import { TypeErrors } from './type-errors';

export default function TypePage() {
  const type = useName();
  const range = useTimeRange();
  const { from, until } = range;
  const filter = { type: { eq: type }, createdAt: { gte: from, lt: until } };
  const state = useQuery(TypesDocument, { filter, first: 1 });
  useServerTime(state);
  const group = state.data?.jobGroups[0];
  return (
    <Page
      title={type}
      above={{ path: '/types', name: t('types.title') }}
      actions={
        <>
          <Link href={jobsPath(jobsOf(type, range))} className="button">
            {t('lists.allJobs')}
          </Link>
          <RangeChoice range={range} />
        </>
      }
    >
      <UnknownParams known={RANGE_PARAMS} />
      <div className="with-query">
        <PanelBody
          state={state}
          lines={3}
          empty={(data) => (data.jobGroups.length === 0 ? t('types.noneOfThis') : null)}
        >
          {(data) => <Facts group={data.jobGroups[0] as TypeGroupFragment} />}
        </PanelBody>
        <QueryButton title={type} asked={state.asked} />
      </div>
      <div className="stack">
        <TypeCharts type={type} range={range} />
        <TypeErrors type={type} since={from} />
        {group && group.run.count > 0 && <Slowest type={type} range={range} run={group.run} />}
      </div>
    </Page>
  );
}

function jobsOf(type: string, { name, from, until }: TimeRange): string {
  if (name !== null) return term('type', type);
  return `${term('type', type)} ${timeTerm('created', Date.parse(from), Date.parse(until))}`;
}

function Facts({ group }: { group: TypeGroupFragment }) {
  const rate = failureRate(group.statusCounts);
  return (
    <Figures
      figures={[
        {
          name: t('types.jobs'),
          value: number(group.count),
          note: <StatusBar counts={group.statusCounts} />,
        },
        { name: t('types.failureRate'), value: rate === null ? '–' : percent(rate) },
        { name: t('column.runMedian'), value: <Duration seconds={group.run.p50} /> },
        { name: t('column.runP95'), value: <Duration seconds={group.run.p95} /> },
        { name: t('column.waitMedian'), value: <Duration seconds={group.wait.p50} /> },
        { name: t('column.waitP95'), value: <Duration seconds={group.wait.p95} /> },
      ]}
    />
  );
}
