// The groups of errors. New ones wait in a bar, so that the list does not move under the reader.
import { useCallback, useRef, useState } from 'react';

import { ArrivalsBar } from '../../components/arrivals-bar';
import { Choice } from '../../components/choice';
import { Page } from '../../components/page';
import { Panel } from '../../components/panel';
import { RangeChoice } from '../../components/range-choice';
import { TextFilter } from '../../components/text-filter';
import { UnknownParams } from '../../components/unknown-params';
import { useChoiceParam, useParams } from '../../components/use-param';
import { useServerTime } from '../../components/use-server-time';
import { RANGE_PARAMS, type TimeRange, useTimeRange } from '../../components/use-time-range';
import { useSubscription } from '../../data/live';
import { useQuery } from '../../data/use-query';
import { type ErrorGroupOrder, ErrorsDocument, ErrorsLiveDocument } from '../../generated/graphql';
import { counted, countText, t } from '../../text/text';
import { ErrorsTable } from '../../components/errors-table';
import { Hidden } from './hidden';

const ORDERS = ['LAST_SEEN', 'FIRST_SEEN', 'COUNT'] as const satisfies readonly ErrorGroupOrder[];
const PAGE = 50;
const MOST = 500;
const KNOWN = [...RANGE_PARAMS, 'order', 'type'];

export default function ErrorsPage() {
  const range = useTimeRange('week');
  return (
    <Page title={t('errors.title')} actions={<RangeChoice range={range} />}>
      <UnknownParams known={KNOWN} />
      <Groups range={range} />
    </Page>
  );
}

function Groups({ range }: { range: TimeRange }) {
  const [order, setOrder] = useChoiceParam('order', ORDERS);
  const [params, setParams] = useParams();
  const type = params.get('type') ?? '';
  const [first, setFirst] = useState(PAGE);
  const filter = type === '' ? null : { type: { startsWith: type.replace(/\*$/, '') } };
  const state = useQuery(ErrorsDocument, { since: range.from, filter, orderBy: order, first });
  useServerTime(state);
  const [arrived, take] = useArrivals(() => (range.renew(), state.refetch()));

  if (state.error?.code === 'FORBIDDEN') return <Hidden />;
  return (
    <>
      <div className="filters">
        <TextFilter
          label={t('lists.typeFilter')}
          value={type}
          field="TYPE"
          onChange={(value) => setParams({ type: value })}
        />
        <Choice
          label={t('errors.order')}
          value={order}
          options={ORDERS.map((value) => ({ value, label: t(`errors.order.${value}`) }))}
          onChange={setOrder}
        />
      </div>
      <ArrivalsBar count={arrived} text={counted('errors.arrived', arrived)} onTake={take} />
      <Panel
        title={state.data ? found(state.data.errorGroups.count) : t('errors.title')}
        state={state}
        lines={10}
        empty={(data) =>
          data.errorGroups.nodes.length > 0
            ? null
            : t(type === '' ? 'errors.none' : 'errors.noneOfType')
        }
      >
        {(data) => (
          <>
            <ErrorsTable groups={data.errorGroups.nodes} since={range.from} />
            {data.errorGroups.pageInfo.hasNextPage && first < MOST && (
              <button type="button" className="more" onClick={() => setFirst(first + PAGE)}>
                {t('lists.more')}
              </button>
            )}
          </>
        )}
      </Panel>
    </>
  );
}

function found(count: { value: number; isExact: boolean }): string {
  return counted('errors.count', count.value, countText(count));
}

/** How many groups were seen for the first time since the list was read, and what takes them. */
function useArrivals(onTake: () => void): [number, () => void] {
  const ids = useRef(new Set<string>());
  const [count, setCount] = useState(0);
  useSubscription(ErrorsLiveDocument, {}, ({ errorGroupSeen }) => {
    ids.current.add(errorGroupSeen.node.id);
    setCount(ids.current.size);
  });
  const handler = useRef(onTake);
  handler.current = onTake;
  const take = useCallback(() => {
    if (ids.current.size === 0) return;
    ids.current.clear();
    setCount(0);
    handler.current();
  }, []);
  return [count, take];
}
