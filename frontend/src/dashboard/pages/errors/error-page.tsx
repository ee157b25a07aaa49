// One group of errors: how often it happens, whom it hits, and the newest jobs that have it.
import { Link } from 'wouter';

import { Choice } from '../../components/choice';
import { CopyButton } from '../../components/copy-button';
import { Figures } from '../../components/figures';
import { Foreign } from '../../components/foreign';
import { Page } from '../../components/page';
import { Panel, PanelBody } from '../../components/panel';
import { Time } from '../../components/time';
import { UnknownParams } from '../../components/unknown-params';
import { useChoiceParam } from '../../components/use-param';
import { useName } from '../../components/use-name';
import { useServerTime } from '../../components/use-server-time';
import { type QueryState, useQuery } from '../../data/use-query';
import { ErrorGroupDocument, type ErrorGroupQuery } from '../../generated/graphql';
import { idTerm, jobPath, jobsPath } from '../../paths';
import { countText, t } from '../../text/text';
import { GroupJobs, GroupTypes } from './group-jobs';
import { Hidden } from './hidden';
import { BUCKETS, COUNTS, Trend } from './trend';

export type Group = Extract<ErrorGroupQuery['node'], { __typename: 'ErrorGroup' }>;

const RENEW_MS = 60_000;

export default function ErrorPage() {
  const id = useName();
  const [bucket, setBucket] = useChoiceParam('bucket', BUCKETS);
  const state = useQuery(
    ErrorGroupDocument,
    { id, bucket, buckets: COUNTS[bucket] },
    { everyMs: RENEW_MS },
  );
  useServerTime(state);
  const group = groupOf(state.data);
  const above = { path: '/errors', name: t('errors.title') };
  if (state.error?.code === 'FORBIDDEN') {
    return (
      <Page title={t('errors.facts')} above={above}>
        <Hidden />
      </Page>
    );
  }
  return (
    <Page
      title={group?.message || group?.code || t('errors.facts')}
      above={above}
      actions={group && <Links id={group.id} />}
    >
      <UnknownParams known={['bucket']} />
      <PanelBody state={state} lines={8} empty={(data) => (groupOf(data) ? null : t('errors.groupNotFound'))}>
        {(data) => <Facts group={groupOf(data) as Group} />}
      </PanelBody>
      {group && (
        <div className="columns">
          <div className="column-main">
            <TrendPanel state={state} bucket={bucket} setBucket={setBucket} />
            <GroupJobs id={group.id} />
          </div>
          <div className="column-side">
            <GroupTypes id={group.id} />
            <Sample group={group} />
          </div>
        </div>
      )}
    </Page>
  );
}

function groupOf(data: ErrorGroupQuery | undefined): Group | undefined {
  return data?.node?.__typename === 'ErrorGroup' ? (data.node as Group) : undefined;
}

function Links({ id }: { id: string }) {
  const group = idTerm('errorgroup', id);
  return (
    <>
      <Link href={jobsPath(group)} className="button">
        {t('errors.allJobs')}
      </Link>
      <Link
        href={jobsPath(`${group} status:failed,canceled,dead_letter`)}
        className="button"
        title={t('errors.retryHint')}
      >
        {t('errors.retry')}
      </Link>
    </>
  );
}

function Facts({ group }: { group: Group }) {
  return (
    <Figures
      figures={[
        { name: t('errors.runs'), value: countText(group.count) },
        { name: t('column.lastSeen'), value: <Time time={group.lastSeenAt} /> },
        { name: t('column.firstSeen'), value: <Time time={group.firstSeenAt} /> },
        { name: t('column.code'), value: group.code === null ? '–' : <Foreign text={group.code} /> },
      ]}
    />
  );
}

interface TrendPanelProps {
  state: QueryState<ErrorGroupQuery>;
  bucket: (typeof BUCKETS)[number];
  setBucket: (bucket: (typeof BUCKETS)[number]) => void;
}

function TrendPanel({ state, bucket, setBucket }: TrendPanelProps) {
  return (
    <Panel
      title={t('errors.trendTitle')}
      state={state}
      actions={
        <Choice
          label={t('errors.bucket')}
          value={bucket}
          options={BUCKETS.map((value) => ({ value, label: t(`errors.bucket.${value}`) }))}
          onChange={setBucket}
        />
      }
    >
      {(data) => <Trend group={groupOf(data) as Group} now={data.server.now} bucket={bucket} />}
    </Panel>
  );
}

function Sample({ group: { sample } }: { group: Group }) {
  if (!sample?.lastErrorMessage) return null;
  return (
    <section className="panel" aria-labelledby="sample">
      <header className="panel-head">
        <h2 id="sample">{t('errors.sample')}</h2>
        <CopyButton text={sample.lastErrorMessage} />
      </header>
      <pre className="message" tabIndex={0} dir="auto">
        {sample.lastErrorMessage}
      </pre>
      <p className="muted">
        {t('errors.sampleOf')} <Link href={jobPath(sample.id)}>{sample.id}</Link>
      </p>
    </section>
  );
}
