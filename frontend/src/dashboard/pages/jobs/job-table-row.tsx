// A row of the list of jobs.
import { type KeyboardEvent, memo } from 'react';
import { useLocation } from 'wouter';

import { jobPath } from '../../paths';
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

export const JobTableRow = memo(function JobTableRow(props: Props) {
  const { row, index, columns, isSelected, isCurrent, hasLeft, onSelect, onCurrent } = props;
  const [, navigate] = useLocation();
  function open(event: KeyboardEvent) {
    if (event.key === 'Enter' && event.target === event.currentTarget) navigate(jobPath(row.id));
  }
  return (
    <tr
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
        <td className="col-select">
          <input
            type="checkbox"
            checked={isSelected}
            aria-label={t('jobs.selectOne', { type: row.type.slice(0, 100) })}
            onChange={() => onSelect?.(row.id)}
          />
        </td>
      )}
      {columns.map(({ name, cell, isNumber }) => (
        <td key={name} className={`col-${name}${isNumber ? ' number' : ''}`}>
          {cell(row)}
        </td>
      ))}
    </tr>
  );
});
