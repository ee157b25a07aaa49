// The list of jobs as a table, of which only the rows in view exist. Read on as it is scrolled.
// The roles are explicit because the styles lay the rows out one by one, not as a table.
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';

import { Icon } from '../../components/icon';
import type { JobOrder } from '../../language/view';
import { t } from '../../text/text';
import { type Column, columnTitle } from './columns';
import { JobTableRow } from './job-table-row';
import type { JobListState } from './use-job-list';
import { useRowKeys } from './use-row-keys';
import { useRowHeight } from './use-row-height';
import type { Selection } from './use-selection';

interface Props {
  state: JobListState;
  columns: readonly Column[];
  order: JobOrder;
  onOrder: (order: JobOrder) => void;
  selection: Selection | null;
  /** The job that is marked: of the URL. */
  at: string | null;
  onAt: (id: string) => void;
}

const OVERSCAN = 8;
/** Reads on when so few rows are left below. */
const AHEAD = 25;

export function JobTable({ state, columns, order, onOrder, selection, at, onAt }: Props) {
  const { list, loadMore, watch } = state;
  const { rows } = list;
  const body = useRef<HTMLTableElement>(null);
  const [margin, setMargin] = useState(0);
  const height = useRowHeight();
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => height,
    overscan: OVERSCAN,
    scrollMargin: margin,
    getItemKey: (index) => rows[index]?.id ?? index,
  });
  useEffect(() => {
    const top = body.current?.getBoundingClientRect().top ?? 0;
    setMargin(Math.round(top + window.scrollY));
  }, [rows.length === 0, columns.length]);
  useEffect(() => virtual.measure(), [virtual, height]);

  const items = virtual.getVirtualItems();
  const [first, last] = [items[0]?.index ?? 0, items.at(-1)?.index ?? 0];
  useEffect(() => {
    if (last >= rows.length - AHEAD) loadMore();
  }, [last, rows.length, loadMore]);
  useEffect(() => {
    watch(rows.slice(first, last + 1).map(({ id }) => id));
  }, [first, last, rows, watch]);
  useRowKeys({ list, selection, at, onAt, scrollTo: (index) => virtual.scrollToIndex(index) });

  const above = (items[0]?.start ?? margin) - margin;
  const below = virtual.getTotalSize() - ((items.at(-1)?.end ?? margin) - margin);
  return (
    <table
      ref={body}
      role="table"
      className="job-table"
      aria-rowcount={list.hasMore ? -1 : rows.length + 1}
      aria-label={t('jobs.title')}
    >
      <Head {...{ columns, order, onOrder, selection }} />
      <tbody role="rowgroup" style={{ paddingTop: above, paddingBottom: below }}>
        {items.map(({ index }) => {
          const row = rows[index];
          return row === undefined ? null : (
            <JobTableRow
              key={row.id}
              row={row}
              index={index}
              columns={columns}
              isSelected={selection === null ? null : selection.isAll || selection.ids.has(row.id)}
              isCurrent={row.id === at}
              hasLeft={list.left.has(row.id)}
              onSelect={selection?.toggle}
              onCurrent={onAt}
            />
          );
        })}
      </tbody>
    </table>
  );
}

type HeadProps = Pick<Props, 'columns' | 'order' | 'onOrder' | 'selection'>;

function Head({ columns, order, onOrder, selection }: HeadProps) {
  return (
    <thead role="rowgroup">
      <tr role="row" aria-rowindex={1}>
        {selection && (
          <th role="columnheader" scope="col" className="col-select">
            <span className="hidden">{t('jobs.select')}</span>
          </th>
        )}
        {columns.map((column) => (
          <HeadCell key={column.name} {...{ column, order, onOrder }} />
        ))}
      </tr>
    </thead>
  );
}

interface HeadCellProps extends Pick<Props, 'order' | 'onOrder'> {
  column: Column;
}

function HeadCell({ column: { name, order: field, isNumber }, order, onOrder }: HeadCellProps) {
  const className = `col-${name}${isNumber ? ' number' : ''}`;
  const title = columnTitle(name);
  if (field === undefined) {
    return (
      <th role="columnheader" scope="col" className={className}>
        {title}
      </th>
    );
  }
  const isSorted = order.field === field;
  const isDown = order.direction === 'DESC';
  const sort = isSorted ? (isDown ? 'descending' : 'ascending') : undefined;
  return (
    <th role="columnheader" scope="col" className={className} aria-sort={sort}>
      <button
        type="button"
        className="quiet sort"
        onClick={() => onOrder({ field, direction: isSorted && isDown ? 'ASC' : 'DESC' })}
      >
        {title}
        {isSorted && <Icon name={isDown ? 'down' : 'up'} size={12} />}
      </button>
    </th>
  );
}
