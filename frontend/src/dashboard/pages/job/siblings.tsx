// How many jobs there are like this one, and where they are.
import { Link } from 'wouter';

import { Panel } from '../../components/panel';
import { useQuery } from '../../data/use-query';
import {
  type JobHeadFragment,
  JobSiblingsDocument,
  type JobSiblingsQuery,
  type JobStatus,
} from '../../generated/graphql';
import { searchOf, valueTerm } from '../../language/make';
import { jobsPath } from '../../paths';
import { counted, countText, t } from '../../text/text';

export function Siblings({ job, pause }: { job: JobHeadFragment; pause: boolean }) {
  const { type, requestedBy, lastErrorCode } = job;
  const variables = {
    type: { type: { eq: type }, status: ['QUEUED', 'RUNNING'] as JobStatus[] },
    requester: { requestedBy: { eq: requestedBy ?? null } },
    error: { type: { eq: type }, lastErrorCode: { eq: lastErrorCode ?? null } },
    hasRequester: Boolean(requestedBy),
    hasError: Boolean(lastErrorCode),
  };
  const state = useQuery(JobSiblingsDocument, variables, { pause });
  const ofType = searchOf(valueTerm('type', type));
  return (
    <Panel title={t('job.siblings')} state={state} lines={2}>
      {(data) => (
        <ul className="siblings">
          <Sibling found={data.type} query={`${ofType} status:queued,running`} name={t('job.sameType')} />
          {lastErrorCode && (
            <Sibling
              found={data.error}
              query={`${ofType} ${searchOf(valueTerm('error', lastErrorCode))}`}
              name={t('job.sameError')}
            />
          )}
          {requestedBy && (
            <Sibling found={data.requester} query={searchOf(valueTerm('by', requestedBy))} name={t('job.sameRequester')} />
          )}
        </ul>
      )}
    </Panel>
  );
}

interface Props {
  found: JobSiblingsQuery['type'] | undefined;
  query: string;
  name: string;
}

function Sibling({ found, query, name }: Props) {
  if (!found) return null;
  return (
    <li>
      <Link href={jobsPath(query)}>{name}</Link>
      <span className="number">{counted('count.jobs', found.count.value, countText(found.count))}</span>
    </li>
  );
}
