// The pages by their paths, inside the shell.
import { useEffect } from 'react';
import { type AroundNavHandler, Route, Router, Switch, useLocation } from 'wouter';

import { Shell } from './components/shell';
import { base } from './data/place';
import { NotFound } from './pages/not-found';
import { Overview } from './pages/overview/overview';
import { loadPage, PAGES } from './pages/pages';

export function App() {
  return (
    <Router base={base} aroundNav={goWhenLoaded}>
      <Shell>
        <Switch>
          <Route path="/" component={Overview} />
          {PAGES.map(([path, { Component }]) => (
            <Route key={path} path={path} component={Component} />
          ))}
          <Route component={NotFound} />
        </Switch>
      </Shell>
      <Focus />
    </Router>
  );
}

let navigations = 0;

/** Navigates at once, or when the page had its time to load; the last of several navigations wins. */
const goWhenLoaded: AroundNavHandler = (navigate, to, options) => {
  navigations += 1;
  const own = navigations;
  const loading = loadPage(new URL(to, window.location.href).pathname);
  if (loading === undefined) {
    navigate(to, options);
    return;
  }
  void loading.then(() => {
    if (own === navigations) navigate(to, options);
  });
};

/** After a navigation the heading of the new page has the focus, and is read out. */
function Focus() {
  const [path] = useLocation();
  useEffect(() => {
    if (document.activeElement === document.body || document.activeElement?.closest('nav')) return;
    document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
  }, [path]);
  return null;
}
