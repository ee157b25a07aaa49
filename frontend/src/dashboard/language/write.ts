/** Writes any filter as a search text, which stands for the same jobs. */

import { fromFilter } from './from-filter.ts';
import type { JobFilter } from './job-filter.ts';
import { simplify } from './simplify.ts';
import type { Names } from './values.ts';
import { writeExpr } from './write-terms.ts';

/** Write a filter. */
export function writeFilter(filter: JobFilter, names: Names = {}): string {
  return writeExpr(simplify(fromFilter(filter)), names);
}
