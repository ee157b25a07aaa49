// The rows of the list: read page by page, changed in place, never moved under the reader.
import type { JobRowFragment } from '../../generated/graphql';

export type Row = JobRowFragment;

export interface JobList {
  rows: readonly Row[];
  /** The ids of rows that do not match any more. */
  left: ReadonlySet<string>;
  /** The ids of jobs that match now, and are in no row. */
  arrived: ReadonlySet<string>;
  endCursor: string | null;
  hasMore: boolean;
  /** The server's time of the first page: what was seen was so at this time. */
  asOf: string | null;
}

export interface PageOfRows {
  rows: readonly Row[];
  endCursor: string | null;
  hasMore: boolean;
  asOf: string;
}

const NONE: ReadonlySet<string> = new Set();
/** So many arrivals are counted, no more. */
export const MOST_ARRIVED = 1_000;

export const EMPTY: JobList = {
  rows: [],
  left: NONE,
  arrived: NONE,
  endCursor: null,
  hasMore: false,
  asOf: null,
};

/** The list from its beginning. */
export function started({ rows, endCursor, hasMore, asOf }: PageOfRows): JobList {
  return { ...EMPTY, rows, endCursor, hasMore, asOf };
}

/** The list with its next page. A job that moved into it meanwhile keeps its first row. */
export function continued(list: JobList, { rows, endCursor, hasMore }: PageOfRows): JobList {
  const known = new Set(list.rows.map(({ id }) => id));
  const added = rows.filter(({ id }) => !known.has(id));
  return { ...list, rows: [...list.rows, ...added], endCursor, hasMore };
}

/** The list with rows in their places as they are now. */
export function changed(list: JobList, news: ReadonlyMap<string, Row>): JobList {
  if (!list.rows.some(({ id }) => news.has(id))) return list;
  return { ...list, rows: list.rows.map((row) => news.get(row.id) ?? row) };
}

/** The list after some of its rows were looked at again: which still match, and which do not. */
export function checked(
  list: JobList,
  looked: readonly string[],
  matching: ReadonlySet<string>,
): JobList {
  const left = new Set(list.left);
  for (const id of looked) {
    if (matching.has(id)) left.delete(id);
    else left.add(id);
  }
  return { ...list, left };
}

/** The list with jobs that match now: those without a row are kept for later. */
export function arrivals(list: JobList, ids: Iterable<string>): JobList {
  const known = new Set(list.rows.map(({ id }) => id));
  const fresh = [...ids].filter((id) => !known.has(id) && !list.arrived.has(id));
  if (fresh.length === 0 || list.arrived.size >= MOST_ARRIVED) return list;
  return { ...list, arrived: new Set([...list.arrived, ...fresh]) };
}
