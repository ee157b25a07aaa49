// The pages by their paths. Each but the first is loaded when it is first opened.
import { type Loadable, loadable } from '../components/loadable';
import { base } from '../data/place';

type File = Parameters<typeof loadable>[0];

export const PAGES: readonly (readonly [string, Loadable])[] = [
  ['/jobs', page(() => import('./jobs/jobs-page'))],
  ['/jobs/:id', page(() => import('./job/job-page'))],
  ['/errors', page(() => import('./errors/errors-page'))],
  ['/errors/:id', page(() => import('./errors/error-page'))],
  ['/queues', page(() => import('./queues/queues-page'))],
  ['/queues/:name', page(() => import('./queues/queue-page'))],
  ['/types', page(() => import('./types/types-page'))],
  ['/types/:name', page(() => import('./types/type-page'))],
  ['/batches', page(() => import('./batches/batches-page'))],
  ['/batches/:name', page(() => import('./batches/batch-page'))],
  ['/sources', page(() => import('./sources/sources-page'))],
  ['/sources/:id', page(() => import('./sources/source-page'))],
  ['/activity', page(() => import('./activity/activity-page'))],
  ['/settings', page(() => import('./settings/settings-page'))],
];

function page(file: File): Loadable {
  return loadable(file, 8);
}

/** For so long it is worth waiting for a page; after that its stand-in is shown. */
const PATIENCE_MS = 200;

/** Loads the page of a path, and ends when it is there, failed or takes long; undefined if it is there. */
export function loadPage(path: string): Promise<unknown> | undefined {
  const [name, object] = path.slice(base.length + 1).split('/');
  const found = PAGES.find(([each]) => (object ? each.startsWith(`/${name}/:`) : each === `/${name}`));
  if (found === undefined || found[1].isLoaded()) return undefined;
  const late = new Promise((resolve) => window.setTimeout(resolve, PATIENCE_MS));
  return Promise.race([found[1].load().catch(() => undefined), late]);
}
