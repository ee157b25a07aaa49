// The systems whose jobs are recorded here, and how current they are; how to add one, if there is none.
import { Link } from 'wouter';

import { type Column, DataTable } from '../../components/data-table';
import { Foreign } from '../../components/foreign';
import { Page } from '../../components/page';
import { Panel } from '../../components/panel';
import { UnknownParams } from '../../components/unknown-params';
import { useServerTime } from '../../components/use-server-time';
import { useQuery } from '../../data/use-query';
import { type SourceFactsFragment, SourcesDocument } from '../../generated/graphql';
import { sourcePath } from '../../paths';
import { t } from '../../text/text';
import { AddSource } from './add-source';
import { Backlog, Lag, LastSeen, SourceError } from './source-state';

type Source = SourceFactsFragment;

const RENEW_MS = 10_000;

export default function SourcesPage() {
  const state = useQuery(SourcesDocument, {}, { everyMs: RENEW_MS });
  useServerTime(state);
  return (
    <Page title={t('sources.title')}>
      <UnknownParams known={[]} />
      {state.data?.sources.length === 0 ? (
        <AddSource />
      ) : (
        <Panel title={t('sources.list')} state={state} lines={5}>
          {(data) => (
            <DataTable
              label={t('sources.list')}
              columns={COLUMNS}
              rows={data.sources}
              rowKey={({ id }) => id}
            />
          )}
        </Panel>
      )}
    </Page>
  );
}

const COLUMNS: readonly Column<Source>[] = [
  {
    key: 'name',
    heading: t('column.source'),
    isHeading: true,
    isText: true,
    cell: ({ id, name }) => (
      <Link href={sourcePath(id)}>
        <Foreign text={name} />
      </Link>
    ),
  },
  { key: 'kind', heading: t('sources.kind'), cell: ({ kind }) => <Foreign text={kind} /> },
  {
    key: 'state',
    heading: t('column.status'),
    isName: true,
    cell: (source) => <SourceError source={source} />,
  },
  {
    key: 'lag',
    heading: t('sources.lag'),
    isNumber: true,
    cell: (source) => <Lag source={source} />,
  },
  { key: 'seen', heading: t('sources.lastSeen'), cell: (source) => <LastSeen source={source} /> },
  {
    key: 'backlog',
    heading: t('sources.backlog'),
    isNumber: true,
    isMinor: true,
    cell: (source) => <Backlog source={source} />,
  },
  {
    key: 'readOnly',
    heading: t('sources.readOnly'),
    isMinor: true,
    cell: ({ isReadOnly }) => (isReadOnly ? t('sources.readOnly') : '–'),
  },
];
