// A row of the list of jobs.
import { type KeyboardEvent, memo } from 'react';

import { t } from '../../text/text';
import type { Column } from './columns';
import type { Row } from './job-list';

interface Props {
  row: Row;
  index: number;
  columns: readonly Column[];
  /** Null: rows cannot be selected. */
  isSelected: boolean | null;
  isCurrent: boolean;
  /** Whether it does not match any more. */
  hasLeft: boolean;
  onSelect: ((id: string) => void) | undefined;
  onCurrent: (id: string) => void;
}

function open({ key, target, currentTarget }: KeyboardEvent) {
  if (key !== 'Enter' || target !== currentTarget) return;
  currentTarget.querySelector<HTMLElement>('.row-link')?.click();
}

export const JobTableRow = memo(function JobTableRow(props: Props) {
  const { row, index, columns, isSelected, isCurrent, hasLeft, onSelect, onCurrent } = props;
  return (
    <tr
      role="row"
      aria-rowindex={index + 2}
      aria-current={isCurrent || undefined}
      data-id={row.id}
      tabIndex={isCurrent ? 0 : -1}
      className={hasLeft ? 'has-left' : undefined}
      title={hasLeft ? t('jobs.hasLeft') : undefined}
      onKeyDown={open}
      onFocus={(event) => event.target === event.currentTarget && onCurrent(row.id)}
    >
      {isSelected !== null && (
        <td role="cell" className="col-select">
          <input
            type="checkbox"
            checked={isSelected}
            aria-label={t('jobs.selectOne', { type: row.type.slice(0, 100) })}
            onChange={() => onSelect?.(row.id)}
          />
        </td>
      )}
      {columns.map(({ name, cell, isNumber }) => (
        <td key={name} role="cell" className={`col-${name}${isNumber ? ' number' : ''}`}>
          {cell(row)}
        </td>
      ))}
    </tr>
  );
});
