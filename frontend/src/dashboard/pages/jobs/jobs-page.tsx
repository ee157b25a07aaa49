// The list of jobs: search, narrow down, read on, select and act.
import { useCallback, useMemo } from 'react';

import { Icon } from '../../components/icon';
import { Page } from '../../components/page';
import { EmptyState, ErrorState, Loading } from '../../components/states';
import { useAfterPaint } from '../../components/use-after-paint';
import { useQuery } from '../../data/use-query';
import { useViewer } from '../../data/viewer';
import { JobsCountDocument } from '../../generated/graphql';
import { counted, countText, t } from '../../text/text';
import { Arrivals } from './arrivals';
import { BulkBar } from './bulk/bulk-bar';
import { ColumnChoice } from './column-choice';
import { columnsOf } from './columns';
import { Facets } from './facets';
import { Histogram } from './histogram';
import { JobTable } from './job-table';
import { SearchBar } from './search-bar';
import { type JobListState, useJobList } from './use-job-list';
import { type Search, useSearch } from './use-search';
import { useSelection } from './use-selection';

export default function JobsPage() {
  const search = useSearch();
  const state = useJobList(search.filter, search.view.order);
  // The rows come first: over many jobs the counts take longer, and both share the server.
  const pause = !useAfterPaint(!state.isOld || state.error !== undefined);
  return (
    <Page title={t('jobs.title')} actions={<Count search={search} pause={pause} />}>
      <SearchBar search={search} />
      {search.view.unknown.length > 0 && (
        <p className="muted">
          {t('jobs.unknownParameters', { names: search.view.unknown.map(([name]) => name).join(', ') })}
        </p>
      )}
      <div className="jobs">
        <Facets search={search} pause={pause} />
        <div className="stack">
          <Histogram search={search} filter={search.filter} pause={pause} />
          <List search={search} state={state} />
        </div>
      </div>
    </Page>
  );
}

function Count({ search, pause }: { search: Search; pause: boolean }) {
  const { data } = useQuery(JobsCountDocument, { filter: search.filter }, { pause });
  return (
    <>
      {search.pin && (
        <button type="button" className="quiet" title={t('jobs.pinHint')} onClick={search.pin}>
          <Icon name="pin" />
          {t('jobs.pin')}
        </button>
      )}
      <strong role="status">
        {data ? counted('count.jobs', data.jobs.count.value, countText(data.jobs.count)) : '…'}
      </strong>
    </>
  );
}

function List({ search, state }: { search: Search; state: JobListState }) {
  const { view, put } = search;
  const columnsText = view.columns?.join() ?? '';
  const columns = useMemo(() => columnsOf(columnsText.split(',')), [columnsText]);
  const selection = useSelection();
  const viewer = useViewer();
  const onAt = useCallback((id: string) => put({ at: id }, { replace: true }), [put]);
  const { list, error, isLoading, refresh } = state;

  return (
    <section className="list" aria-label={t('jobs.title')}>
      <div className="list-head">
        <Arrivals list={list} onShow={refresh} />
        <ColumnChoice
          columns={columns}
          onChoose={(names) => put({ columns: names.length === 0 ? null : names }, { replace: true })}
        />
      </div>
      {error && <ErrorState error={error} onRetry={refresh} />}
      {list.rows.length > 0 && (
        <div className={state.isOld ? 'list-rows is-old' : 'list-rows'}>
          <JobTable
            state={state}
            columns={columns}
            order={view.order}
            onOrder={(order) => put({ order, at: null })}
            selection={viewer?.mayAct ? selection : null}
            at={view.at}
            onAt={onAt}
          />
        </div>
      )}
      {list.rows.length === 0 && !error && (isLoading ? <Loading lines={8} /> : <Nothing search={search} />)}
      {list.rows.length > 0 && (
        <p className="list-end muted">{t(list.hasMore ? 'jobs.more' : 'jobs.end')}</p>
      )}
      {viewer?.mayAct && list.asOf && (
        <BulkBar
          selection={selection}
          target={{ filter: search.filter, asOf: list.asOf }}
          words={search.view.q}
          canDelete={viewer.isAdmin}
          onDone={refresh}
        />
      )}
    </section>
  );
}

function Nothing({ search }: { search: Search }) {
  if (search.view.q === '' && search.view.from === null) return <EmptyState>{t('jobs.emptyAll')}</EmptyState>;
  return (
    <EmptyState>
      {t('jobs.empty')} {t('jobs.emptyHint')}
    </EmptyState>
  );
}
