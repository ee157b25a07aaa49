// The jobs of a type that ran longest. The API cannot sort by it: those above a percentile are sorted here.
import { ShortJobTable } from '../../components/short-job-table';
import { Panel } from '../../components/panel';
import type { TimeRange } from '../../components/use-time-range';
import { useQuery } from '../../data/use-query';
import { type JobFilter, TypeSlowestDocument, type TypeGroupFragment } from '../../generated/graphql';
import { language, t } from '../../text/text';
import { formatDuration } from '../../time/durations';
import { slowThreshold } from './threshold';

const LOOKED_AT = 60;
const SHOWN = 8;

interface Props {
  type: string;
  range: TimeRange;
  run: TypeGroupFragment['run'];
}

export function Slowest({ type, range: { from, until }, run }: Props) {
  const threshold = slowThreshold(run);
  const filter: JobFilter = {
    type: { eq: type },
    finishedAt: { gte: from, lt: until },
    runSeconds: { gte: threshold ?? 0 },
  };
  const state = useQuery(
    TypeSlowestDocument,
    { filter, first: LOOKED_AT },
    { pause: threshold === null },
  );
  return (
    <Panel
      title={t('types.slowest')}
      state={state}
      lines={5}
      empty={(data) => (data.jobs.nodes.length === 0 ? t('types.slowestNone') : null)}
    >
      {(data) => (
        <>
          {data.jobs.pageInfo.hasNextPage && threshold !== null && (
            <p className="muted">
              {t('types.slowestHint', {
                count: LOOKED_AT,
                duration: formatDuration(threshold, language),
              })}
            </p>
          )}
          <ShortJobTable
            label={t('types.slowest')}
            jobs={[...data.jobs.nodes]
              .sort((a, b) => (b.runSeconds ?? 0) - (a.runSeconds ?? 0))
              .slice(0, SHOWN)}
            columns={['queue', 'worker', 'attempt', 'wait', 'run', 'finished']}
          />
        </>
      )}
    </Panel>
  );
}
