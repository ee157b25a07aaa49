// The jobs whose last error is of a group: by their types, and the newest of them.
import { Link } from 'wouter';

import { ShortJobTable } from '../../components/short-job-table';
import { Panel } from '../../components/panel';
import { TypeShares } from '../../components/type-shares';
import { useQuery } from '../../data/use-query';
import { ErrorGroupJobsDocument, ErrorGroupTypesDocument } from '../../generated/graphql';
import { idTerm, jobsPath } from '../../paths';
import { counted, countText, t } from '../../text/text';

export function GroupJobs({ id }: { id: string }) {
  const state = useQuery(ErrorGroupJobsDocument, { id });
  return (
    <Panel
      title={t('errors.newest')}
      state={state}
      lines={6}
      empty={(data) => (data.jobs.nodes.length === 0 ? t('errors.noJobs') : null)}
      actions={
        state.data && (
          <Link href={jobsPath(idTerm('errorgroup', id))} className="panel-link">
            {counted('count.jobs', state.data.jobs.count.value, countText(state.data.jobs.count))}
          </Link>
        )
      }
    >
      {(data) => (
        <ShortJobTable
          label={t('errors.newest')}
          jobs={data.jobs.nodes}
          columns={['error', 'attempt', 'run', 'updated']}
        />
      )}
    </Panel>
  );
}

export function GroupTypes({ id }: { id: string }) {
  const state = useQuery(ErrorGroupTypesDocument, { id });
  return (
    <Panel
      title={t('errors.typesHit')}
      state={state}
      empty={(data) => (data.jobGroups.length === 0 ? t('errors.noJobs') : null)}
    >
      {(data) => <TypeShares label={t('errors.typesHit')} groups={data.jobGroups} />}
    </Panel>
  );
}
