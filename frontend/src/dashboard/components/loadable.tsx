// A component in a file of its own, which is loaded when it is first shown, or before.
import { type ComponentType, useEffect, useState } from 'react';

import { ApiError } from '../data/client';
import { ErrorState, Loading } from './states';

export interface Loadable<P extends object = object> {
  Component: ComponentType<P>;
  /** Loads it; it is shown at once from then on. */
  load: () => Promise<unknown>;
  isLoaded: () => boolean;
}

/**
 * React's own `lazy` shows its stand-in for at least 300 ms, however soon the file is there.
 * `lines`: of the stand-in.
 */
export function loadable<P extends object>(
  file: () => Promise<{ default: ComponentType<P> }>,
  lines: number,
): Loadable<P> {
  let loaded: ComponentType<P> | undefined;
  async function load(): Promise<ComponentType<P>> {
    loaded ??= (await file()).default;
    return loaded;
  }

  function Component(props: P) {
    const [Loaded, setLoaded] = useState(() => loaded);
    const [hasFailed, setFailed] = useState(false);
    useEffect(() => {
      if (Loaded || hasFailed) return;
      load().then(
        (component) => setLoaded(() => component),
        () => setFailed(true),
      );
    }, [Loaded, hasFailed]);
    if (Loaded) return <Loaded {...props} />;
    if (!hasFailed) return <Loading lines={lines} />;
    return <ErrorState error={new ApiError('UNREACHABLE', '')} onRetry={() => setFailed(false)} />;
  }

  return { Component, load, isLoaded: () => loaded !== undefined };
}
