// The figures of a chart as a table.
import { useId } from 'react';

import { t } from '../text/text';
import { span } from './labels';

interface Props<V> {
  /** The starts of the intervals and the end of the last one, in milliseconds since the epoch. */
  edges: readonly number[];
  columns: readonly { name: string; label: string; values: readonly V[] }[];
  label: string;
  shown: (value: V | undefined) => string;
}

export function ChartTable<V>({ edges, columns, label, shown }: Props<V>) {
  const id = useId();
  return (
    <div className="scroll" tabIndex={0} role="region" aria-labelledby={id}>
      <table>
        <caption id={id} className="hidden">
          {label}
        </caption>
        <thead>
          <tr>
            <th scope="col">{t('column.time')}</th>
            {columns.map((column) => (
              <th key={column.name} scope="col" className="number">
                {column.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {edges.slice(0, -1).map((edge, index) => (
            <tr key={edge}>
              <th scope="row">{span(edge, edges[index + 1] ?? edge)}</th>
              {columns.map(({ name, values }) => (
                <td key={name} className="number">
                  {shown(values[index])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
