// The pages by their paths, inside the shell. Each is loaded when it is first opened.
import { type ComponentType, lazy, Suspense, useEffect } from 'react';
import { Route, Router, Switch, useLocation } from 'wouter';

import { Loading } from './components/states';
import { Shell } from './components/shell';
import { base } from './data/place';
import { NotFound } from './pages/not-found';
import { Overview } from './pages/overview/overview';

type Load = () => Promise<{ default: ComponentType }>;

const PAGES: readonly (readonly [string, ComponentType])[] = [
  ['/', Overview],
  ['/jobs', page(() => import('./pages/jobs/jobs-page'))],
  ['/settings', page(() => import('./pages/settings/settings-page'))],
];

function page(load: Load): ComponentType {
  return lazy(load);
}

export function App() {
  return (
    <Router base={base}>
      <Shell>
        <Suspense fallback={<Loading lines={8} />}>
          <Switch>
            {PAGES.map(([path, component]) => (
              <Route key={path} path={path} component={component} />
            ))}
            <Route component={NotFound} />
          </Switch>
        </Suspense>
      </Shell>
      <Focus />
    </Router>
  );
}

/** After a navigation the heading of the new page has the focus, and is read out. */
function Focus() {
  const [path] = useLocation();
  useEffect(() => {
    if (document.activeElement === document.body || document.activeElement?.closest('nav')) return;
    document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
  }, [path]);
  return null;
}
