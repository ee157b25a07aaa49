// The jobs whose last error is of a group: by their types, and the newest of them.
import { Link } from 'wouter';

import { DataTable } from '../../components/data-table';
import { Foreign } from '../../components/foreign';
import { ShortJobTable } from '../../components/short-job-table';
import { Panel } from '../../components/panel';
import { StatusBar } from '../../components/status-bar';
import { useQuery } from '../../data/use-query';
import { ErrorGroupJobsDocument, ErrorGroupTypesDocument } from '../../generated/graphql';
import { idTerm, jobsPath, typePath } from '../../paths';
import { counted, countText, number, t } from '../../text/text';

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
      {(data) => (
        <DataTable
          label={t('errors.typesHit')}
          rows={data.jobGroups}
          rowKey={({ key }) => key.type ?? ''}
          columns={[
            {
              key: 'type',
              heading: t('column.type'),
              isHeading: true,
              isText: true,
              cell: ({ key }) => (
                <Link href={typePath(key.type ?? '')}>
                  <Foreign text={key.type ?? ''} />
                </Link>
              ),
            },
            {
              key: 'shares',
              heading: t('column.shares'),
              cell: ({ statusCounts }) => <StatusBar counts={statusCounts} />,
            },
            {
              key: 'jobs',
              heading: t('column.jobs'),
              isNumber: true,
              cell: ({ count }) => number(count),
            },
          ]}
        />
      )}
    </Panel>
  );
}
