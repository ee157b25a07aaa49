// A JSON value as a tree, which is loaded when the first one is shown.
import type { JsonTreeProps } from './json-tree-view';
import { loadable } from './loadable';

const view = loadable<JsonTreeProps>(() => import('./json-tree-view'), 3);
// It is asked for at once, while the data is; if that fails, then again when it is shown.
view.load().catch(() => undefined);

export const JsonTree = view.Component;
