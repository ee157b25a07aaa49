// The list of jobs: search, narrow down, read on, select and act.
import { useCallback, useMemo } from 'react';
import { useSearchParams } from 'wouter';

import { Icon } from '../../components/icon';
import { Page } from '../../components/page';
import { EmptyState, ErrorState, Loading } from '../../components/states';
import { useQuery } from '../../data/use-query';
import { useViewer } from '../../data/viewer';
import { type JobOrder, type JobOrderField, JobsCountDocument } from '../../generated/graphql';
import { counted, countText, t } from '../../text/text';
import { Arrivals } from './arrivals';
import { BulkBar } from './bulk/bulk-bar';
import { ColumnChoice } from './column-choice';
import { columnsOf } from './columns';
import { Facets } from './facets';
import { Histogram } from './histogram';
import { JobTable } from './job-table';
import { SearchBar } from './search-bar';
import { useJobList } from './use-job-list';
import { type Search, useSearch } from './use-search';
import { useSelection } from './use-selection';

const NEWEST: JobOrder = { field: 'CREATED_AT', direction: 'DESC' };

export default function JobsPage() {
  const search = useSearch();
  return (
    <Page title={t('jobs.title')} actions={<Count search={search} />}>
      <SearchBar search={search} />
      <div className="jobs">
        <Facets search={search} />
        <div className="stack">
          <Histogram search={search} filter={search.filter} />
          <List search={search} />
        </div>
      </div>
    </Page>
  );
}

function Count({ search }: { search: Search }) {
  const { data } = useQuery(JobsCountDocument, { filter: search.filter });
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

function List({ search }: { search: Search }) {
  const [parameters, setParameters] = useSearchParams();
  const orderText = parameters.get('order');
  const order = useMemo(() => orderOf(orderText), [orderText]);
  const columnsText = parameters.get('cols') ?? '';
  const columns = useMemo(() => columnsOf(columnsText.split(',')), [columnsText]);
  const state = useJobList(search.filter, order);
  const selection = useSelection();
  const viewer = useViewer();
  const put = useCallback(
    (name: string, value: string) =>
      setParameters(
        (before) => {
          const after = new URLSearchParams(before);
          if (value === '') after.delete(name);
          else after.set(name, value);
          return after;
        },
        { replace: true },
      ),
    [setParameters],
  );
  const onAt = useCallback((id: string) => put('at', id), [put]);
  const { list, error, isLoading, refresh } = state;

  return (
    <section className="list" aria-label={t('jobs.title')}>
      <div className="list-head">
        <Arrivals list={list} onShow={refresh} />
        <ColumnChoice columns={columns} onChoose={(names) => put('cols', names.join(','))} />
      </div>
      {error && <ErrorState error={error} onRetry={refresh} />}
      {list.rows.length > 0 && (
        <div className={state.isOld ? 'is-old' : undefined}>
          <JobTable
            state={state}
            columns={columns}
            order={order}
            onOrder={(next) => put('order', orderWord(next))}
            selection={viewer?.mayAct ? selection : null}
            at={parameters.get('at')}
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
          words={search.text}
          canDelete={viewer.isAdmin}
          onDone={refresh}
        />
      )}
    </section>
  );
}

function Nothing({ search }: { search: Search }) {
  if (search.text === '') return <EmptyState>{t('jobs.emptyAll')}</EmptyState>;
  return (
    <EmptyState>
      {t('jobs.empty')} {t('jobs.emptyHint')}
    </EmptyState>
  );
}

const FIELDS: Record<string, JobOrderField> = {
  created: 'CREATED_AT',
  updated: 'UPDATED_AT',
  finished: 'FINISHED_AT',
  priority: 'PRIORITY',
  scheduled: 'SCHEDULED_AT',
  started: 'STARTED_AT',
};

/** The order with this name: `created`, or `-created` for the oldest first. */
function orderOf(text: string | null): JobOrder {
  const field = FIELDS[text?.replace(/^-/, '') ?? ''];
  return field ? { field, direction: text?.startsWith('-') ? 'ASC' : 'DESC' } : NEWEST;
}

function orderWord({ field, direction }: JobOrder): string {
  const name = Object.entries(FIELDS).find(([, each]) => each === field)?.[0] ?? '';
  const word = direction === 'ASC' ? `-${name}` : name;
  return word === 'created' ? '' : word;
}
