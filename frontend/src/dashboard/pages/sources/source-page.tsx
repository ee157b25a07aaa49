// One source: how current it is, and the newest of its jobs.
import { Link } from 'wouter';

import { Figures } from '../../components/figures';
import { Foreign } from '../../components/foreign';
import { Icon } from '../../components/icon';
import { ShortJobTable } from '../../components/short-job-table';
import { Page } from '../../components/page';
import { Panel, PanelBody } from '../../components/panel';
import { StatusBar } from '../../components/status-bar';
import { UnknownParams } from '../../components/unknown-params';
import { useName } from '../../components/use-name';
import { useServerTime } from '../../components/use-server-time';
import { useQuery } from '../../data/use-query';
import { SourceDocument, type SourceQuery } from '../../generated/graphql';
import { idTerm, jobsPath } from '../../paths';
import { countText, t } from '../../text/text';
import { Backlog, Lag, LastSeen } from './source-state';

type Source = Extract<SourceQuery['node'], { __typename: 'Source' }>;

const RENEW_MS = 10_000;

export default function SourcePage() {
  const id = useName();
  const state = useQuery(SourceDocument, { id }, { everyMs: RENEW_MS });
  useServerTime(state);
  const source = sourceOf(state.data);
  return (
    <Page
      title={source?.name ?? t('sources.facts')}
      above={{ path: '/sources', name: t('sources.title') }}
      actions={
        source && (
          <Link href={jobsPath(idTerm('source', source.id))} className="button">
            {t('lists.allJobs')}
          </Link>
        )
      }
    >
      <UnknownParams known={[]} />
      <PanelBody
        state={state}
        lines={4}
        empty={(data) => (sourceOf(data) ? null : t('sources.notFound'))}
      >
        {(data) => <Facts source={sourceOf(data) as Source} counts={data.statusCounts} />}
      </PanelBody>
      {source && (
        <Panel
          title={t('sources.newest')}
          state={state}
          empty={() => (source.jobs.nodes.length === 0 ? t('sources.noJobs') : null)}
        >
          {() => (
            <ShortJobTable
              label={t('sources.newest')}
              jobs={source.jobs.nodes}
              columns={['queue', 'attempt', 'wait', 'run', 'created']}
            />
          )}
        </Panel>
      )}
    </Page>
  );
}

function sourceOf(data: SourceQuery | undefined): Source | undefined {
  return data?.node?.__typename === 'Source' ? (data.node as Source) : undefined;
}

function Facts({ source, counts }: { source: Source; counts: SourceQuery['statusCounts'] }) {
  const value = counts.reduce((sum, { count }) => sum + count.value, 0);
  const isExact = counts.every(({ count }) => count.isExact);
  return (
    <>
      {source.lastError !== null && (
        <p className="error-state" role="alert">
          <Icon name="warning" />
          <span>
            <strong>{t('sources.error')}.</strong> <Foreign text={source.lastError} />
          </span>
        </p>
      )}
      <Figures
        figures={[
          { name: t('sources.kind'), value: <Foreign text={source.kind} /> },
          { name: t('sources.lag'), value: <Lag source={source} /> },
          { name: t('sources.lastSeen'), value: <LastSeen source={source} /> },
          { name: t('sources.backlog'), value: <Backlog source={source} /> },
          {
            name: t('sources.statuses'),
            value: countText({ value, isExact }),
            note: <StatusBar counts={counts} />,
          },
        ]}
      />
      {source.isReadOnly && <p className="muted facts-note">{t('sources.readOnlyHint')}</p>}
    </>
  );
}
