// Parts of the view that are kept in the URL. What other parts have there stays.
import { useCallback, useMemo } from 'react';
import { useSearch } from 'wouter';

/** Changes parameters at once; null or the empty text takes one away. */
export type SetParams = (changed: Record<string, string | null>) => void;

export function useParams(): [URLSearchParams, SetParams] {
  const search = useSearch();
  // The router decodes a part of what it returns, which a parameter with a percent sign does not survive.
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  const params = useMemo(() => new URLSearchParams(window.location.search), [search]);
  return [params, setParams];
}

const setParams: SetParams = (changed) => {
  const { pathname, search } = window.location;
  const params = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changed)) {
    if (value === null || value === '') params.delete(name);
    else params.set(name, value);
  }
  const text = params.toString();
  window.history.replaceState(null, '', text === '' ? pathname : `${pathname}?${text}`);
};

/** One of a few values. The first is the default, and not written. */
export function useChoiceParam<V extends string>(
  name: string,
  values: readonly [V, ...V[]],
): [V, (value: V) => void] {
  const [params, set] = useParams();
  const given = params.get(name);
  const [usual] = values;
  const value = values.find((each) => each === given) ?? usual;
  const choose = useCallback(
    (chosen: V) => set({ [name]: chosen === usual ? null : chosen }),
    [name, usual, set],
  );
  return [value, choose];
}
