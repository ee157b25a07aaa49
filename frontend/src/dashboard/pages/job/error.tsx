// The last error of the job, whole, and the group that it belongs to.
import { Link } from 'wouter';

import { CopyButton } from '../../components/copy-button';
import { isRedacted } from '../../components/acts/payload-text';
import { Panel } from '../../components/panel';
import { Sparkline } from '../../components/sparkline';
import { Time } from '../../components/time';
import { useQuery } from '../../data/use-query';
import { JobErrorDocument, type JobErrorQuery } from '../../generated/graphql';
import { searchOf, valueTerm } from '../../language/make';
import { errorPath, jobsPath } from '../../paths';
import { countText, t } from '../../text/text';

type Failed = NonNullable<JobErrorQuery['job']>;
type Group = NonNullable<Failed['errorGroup']>;

export function LastError({ id, version }: { id: string; version: number }) {
  const state = useQuery(JobErrorDocument, { id }, { renewed: version });
  const job = state.data?.job;
  if (job && !job.lastErrorCode && !job.lastErrorMessage) return null;
  return (
    <Panel
      title={t('job.lastError')}
      state={state}
      actions={job?.lastErrorMessage && <CopyButton text={job.lastErrorMessage} />}
    >
      {(data) => data.job && <Body job={data.job} />}
    </Panel>
  );
}

function Body({ job }: { job: Failed }) {
  const { lastErrorCode: code, lastErrorMessage: message, errorGroup: group } = job;
  return (
    <>
      {code && (
        <p className="error-code">
          <Link href={jobsPath(searchOf(valueTerm('error', code)))}>
            <bdi>
              <code>{code}</code>
            </bdi>
          </Link>
        </p>
      )}
      {message && isRedacted(message) && message.length < 20 ? (
        <p className="json-redacted error-hidden">{t('job.errorHidden')}</p>
      ) : (
        message && (
          <pre className="error-message" tabIndex={0} dir="auto">
            {message}
          </pre>
        )
      )}
      {group && <GroupLine group={group} />}
    </>
  );
}

function GroupLine({ group }: { group: Group }) {
  return (
    <p className="error-group">
      <Link href={errorPath(group.id)}>{t('job.othersLikeThis')}</Link>
      <Sparkline values={group.trend} label={t('job.trend', { values: group.trend.join(', ') })} />
      <span>{t('job.groupCount', { count: countText(group.count) })}</span>
      <span className="muted">
        {t('column.firstSeen')} <Time time={group.firstSeenAt} /> · {t('column.lastSeen')}{' '}
        <Time time={group.lastSeenAt} />
      </span>
    </p>
  );
}
