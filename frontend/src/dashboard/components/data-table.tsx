// A table of rows with columns that can be sorted, which scrolls by itself where it is too wide.
import type { ReactNode } from 'react';

import { t } from '../text/text';
import { Icon } from './icon';

export interface Column<R> {
  key: string;
  heading: string;
  cell: (row: R) => ReactNode;
  isNumber?: boolean;
  /** Names the row. */
  isHeading?: boolean;
  /** Left out where there is little room. */
  isMinor?: boolean;
  /** Takes the room that is left, and is cut off. */
  isText?: boolean;
  /** Is cut off where it is long, but gives room to the text of another column. */
  isName?: boolean;
  canSort?: boolean;
}

/** The column that the rows are sorted by, and which come first. */
export interface Sorting {
  key: string;
  isDescending: boolean;
}

interface Props<R> {
  label: string;
  columns: readonly Column<R>[];
  rows: readonly R[];
  rowKey: (row: R) => string;
  sorting?: Sorting | undefined;
  onSort?: ((key: string) => void) | undefined;
}

export function DataTable<R>({ label, columns, rows, rowKey, sorting, onSort }: Props<R>) {
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label={label}>
      <table className="data-table">
        <caption className="hidden">{label}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <Heading key={column.key} column={column} sorting={sorting} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map((column) => (
                <Cell key={column.key} column={column} row={row} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface HeadingProps<R> extends Pick<Props<R>, 'sorting' | 'onSort'> {
  column: Column<R>;
}

function Heading<R>({ column, sorting, onSort }: HeadingProps<R>) {
  const isSorted = sorting?.key === column.key;
  const direction = sorting?.isDescending ? 'descending' : 'ascending';
  return (
    <th scope="col" className={classOf(column)} aria-sort={isSorted ? direction : undefined}>
      {column.canSort && onSort ? (
        <button
          type="button"
          className={isSorted ? 'column-sort sorted' : 'column-sort'}
          title={t('lists.sortBy', { column: column.heading })}
          onClick={() => onSort(column.key)}
        >
          {column.heading}
          <Icon name={isSorted && !sorting?.isDescending ? 'up' : 'down'} size={11} />
        </button>
      ) : (
        column.heading
      )}
    </th>
  );
}

function Cell<R>({ column, row }: { column: Column<R>; row: R }) {
  if (column.isHeading) {
    return (
      <th scope="row" className={classOf(column)}>
        {column.cell(row)}
      </th>
    );
  }
  return <td className={classOf(column)}>{column.cell(row)}</td>;
}

function classOf<R>({ isNumber, isMinor, isText, isName }: Column<R>): string | undefined {
  const names = [isNumber && 'number', isMinor && 'minor', isText && 'cell-text', isName && 'cell-name'];
  return names.filter(Boolean).join(' ') || undefined;
}
