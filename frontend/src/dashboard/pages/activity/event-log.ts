// The events that are shown, and those that wait. A bounded number of both, each event once.

export interface Entry<E extends { id: string }> {
  cursor: string;
  node: E;
}

export interface EventLog<E extends { id: string }> {
  /** The newest first. */
  rows: readonly Entry<E>[];
  /** What arrived and is not shown yet, the newest first. */
  waiting: readonly Entry<E>[];
  /** Whether more arrived than can wait: then the list is to be read from its beginning. */
  hasOverflow: boolean;
  hasMore: boolean;
}

export const MOST_ROWS = 3_000;
export const MOST_WAITING = 500;

export const EMPTY: EventLog<never> = { rows: [], waiting: [], hasOverflow: false, hasMore: false };

export function started<E extends { id: string }>(rows: readonly Entry<E>[], hasMore: boolean): EventLog<E> {
  return { rows, waiting: [], hasOverflow: false, hasMore };
}

/** The log with the next page of its history. */
export function continued<E extends { id: string }>(
  log: EventLog<E>,
  page: readonly Entry<E>[],
  hasMore: boolean,
): EventLog<E> {
  const rows = [...log.rows, ...unknown(log, page)].slice(0, MOST_ROWS);
  return { ...log, rows, hasMore };
}

/** The log with events that arrived, the newest last; they wait until they are taken. */
export function arrived<E extends { id: string }>(log: EventLog<E>, events: readonly Entry<E>[]): EventLog<E> {
  const fresh = unknown(log, events).toReversed();
  if (fresh.length === 0) return log;
  const waiting = [...fresh, ...log.waiting];
  return {
    ...log,
    waiting: waiting.slice(0, MOST_WAITING),
    hasOverflow: log.hasOverflow || waiting.length > MOST_WAITING,
  };
}

/** The log with what waited at its beginning. The oldest rows give way, and can be read again. */
export function taken<E extends { id: string }>(log: EventLog<E>): EventLog<E> {
  const rows = [...log.waiting, ...log.rows];
  return {
    rows: rows.slice(0, MOST_ROWS),
    waiting: [],
    hasOverflow: false,
    hasMore: log.hasMore || rows.length > MOST_ROWS,
  };
}

export const isFull = (log: EventLog<{ id: string }>): boolean => log.rows.length >= MOST_ROWS;

function unknown<E extends { id: string }>(log: EventLog<E>, events: readonly Entry<E>[]): Entry<E>[] {
  const known = new Set([...log.rows, ...log.waiting].map(({ node }) => node.id));
  return events.filter(({ node: { id } }) => !known.has(id) && known.add(id));
}
