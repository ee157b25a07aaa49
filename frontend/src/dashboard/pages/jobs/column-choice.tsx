// Which columns the list has.
import { useId, useRef } from 'react';

import { Icon } from '../../components/icon';
import { t } from '../../text/text';
import { type Column, COLUMN_NAMES, type ColumnName, columnTitle, DEFAULT_COLUMNS } from './columns';

interface Props {
  columns: readonly Column[];
  /** Called with no names for the default columns. */
  onChoose: (names: readonly ColumnName[]) => void;
}

export function ColumnChoice({ columns, onChoose }: Props) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const names = columns.map(({ name }) => name);
  function toggle(name: ColumnName) {
    const next = COLUMN_NAMES.filter((each) => (each === name) !== names.includes(each));
    onChoose(next.join() === DEFAULT_COLUMNS.join() ? [] : next);
  }
  return (
    <>
      <button ref={button} type="button" className="quiet" popoverTarget={id}>
        <Icon name="table" />
        {t('jobs.columns')}
      </button>
      <fieldset id={id} popover="auto" className="menu" aria-label={t('jobs.columns')}>
        {COLUMN_NAMES.map((name) => (
          <label key={name} className="check">
            <input
              type="checkbox"
              checked={names.includes(name)}
              disabled={names.length === 1 && names[0] === name}
              onChange={() => toggle(name)}
            />
            {columnTitle(name)}
          </label>
        ))}
      </fieldset>
    </>
  );
}
