// Sorts the rows of a list that is here as a whole; the URL says by what.
import { useMemo } from 'react';

import type { Sorting } from './data-table';
import { useParams } from './use-param';

export type SortValue = number | string | null | undefined;
type Values<R> = Readonly<Record<string, (row: R) => SortValue>>;

/** `values`: by what each column is sorted. `usual`: the parameter if there is none, such as `-count`. */
export function useSorted<R>(
  rows: readonly R[],
  values: Values<R>,
  usual: string,
  param = 'sort',
): { rows: readonly R[]; sorting: Sorting; onSort: (key: string) => void } {
  const [params, setParams] = useParams();
  const sorting = parse(params.get(param), values) ?? parse(usual, values) ?? FIRST;
  const { key, isDescending } = sorting;
  const sorted = useMemo(() => sortRows(rows, values[key], isDescending), [rows, values, key, isDescending]);
  const onSort = (chosen: string) => {
    const next = chosen === key ? !isDescending : usual !== chosen;
    const text = `${next ? '-' : ''}${chosen}`;
    setParams({ [param]: text === usual ? null : text });
  };
  return { rows: sorted, sorting, onSort };
}

const FIRST: Sorting = { key: '', isDescending: false };

function parse<R>(text: string | null, values: Values<R>): Sorting | null {
  if (text === null) return null;
  const isDescending = text.startsWith('-');
  const key = isDescending ? text.slice(1) : text;
  return Object.hasOwn(values, key) ? { key, isDescending } : null;
}

/** What has no value comes last, in both directions. Rows with the same value keep their order. */
export function sortRows<R>(
  rows: readonly R[],
  value: ((row: R) => SortValue) | undefined,
  isDescending: boolean,
): readonly R[] {
  if (value === undefined) return rows;
  const sign = isDescending ? -1 : 1;
  return rows
    .map((row) => ({ row, by: value(row) ?? null }))
    .sort((a, b) => {
      if (a.by === null || b.by === null) return Number(a.by === null) - Number(b.by === null);
      return sign * compare(a.by, b.by);
    })
    .map(({ row }) => row);
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a) < String(b) ? -1 : Number(a !== b);
}
