// Parts of the view that are kept in the URL. What other parts have there stays.
import { useCallback } from 'react';
import { useSearchParams } from 'wouter';

/** Changes parameters at once; null or the empty text takes one away. */
export type SetParams = (changed: Record<string, string | null>) => void;

export function useParams(): [URLSearchParams, SetParams] {
  const [params, setParams] = useSearchParams();
  const set = useCallback<SetParams>(
    (changed) =>
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          for (const [name, value] of Object.entries(changed)) {
            if (value === null || value === '') after.delete(name);
            else after.set(name, value);
          }
          return after;
        },
        { replace: true },
      ),
    [setParams],
  );
  return [params, set];
}

/** One of a few values. The first is the default, and not written. */
export function useChoiceParam<V extends string>(
  name: string,
  values: readonly [V, ...V[]],
): [V, (value: V) => void] {
  const [params, set] = useParams();
  const given = params.get(name);
  const value = values.find((each) => each === given) ?? values[0];
  const choose = useCallback(
    (chosen: V) => set({ [name]: chosen === values[0] ? null : chosen }),
    // oxlint-disable-next-line react-hooks/exhaustive-deps
    [name, set],
  );
  return [value, choose];
}
