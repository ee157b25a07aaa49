// What the page adds to GraphiQL: the active tab is in view, and Ctrl-Enter runs the query wherever
// the focus is. GraphiQL's own shortcuts need the focus in an editor.
import { isMacOs, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect } from 'react';

export function Behaviour() {
  const tabs = useGraphiQL((state) => state.tabs);
  const activeTabIndex = useGraphiQL((state) => state.activeTabIndex);
  const { run } = useGraphiQLActions();

  useEffect(() => {
    const bar = document.querySelector('.graphiql-tabs');
    // At once, and again whenever the bar becomes narrower, as beside the docs.
    const observer = new ResizeObserver(() => {
      const tab = bar?.querySelector('.graphiql-tab-active');
      tab?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    });
    if (bar) observer.observe(bar);
    return () => observer.disconnect();
  }, [tabs.length, activeTabIndex]);

  useEffect(() => {
    function onKeyDown(event: KeyboardEvent) {
      const isRun = event.key === 'Enter' && (isMacOs ? event.metaKey : event.ctrlKey);
      // An editor that has the focus has done it already, and says so.
      if (!isRun || event.defaultPrevented) return;
      event.preventDefault();
      void run();
    }
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [run]);

  return null;
}
