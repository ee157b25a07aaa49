// A JSON value as a tree, which is loaded when the first one is shown.
import { lazy, Suspense } from 'react';

import type { JsonTreeProps } from './json-tree-view';
import { Loading } from './states';

// It is asked for at once, while the data is.
const loaded = import('./json-tree-view');
const View = lazy(() => loaded);

export function JsonTree(props: JsonTreeProps) {
  return (
    <Suspense fallback={<Loading lines={3} />}>
      <View {...props} />
    </Suspense>
  );
}
