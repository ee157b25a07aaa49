// The order in which the jobs of a queue are started.

interface Queued {
  id: string;
  priority: number;
  waitSeconds: number | null;
}

/** The highest priority first; of the same one, the smallest id, which is the oldest. */
export function startOrder(a: Queued, b: Queued): number {
  return b.priority - a.priority || (a.id < b.id ? -1 : Number(a.id > b.id));
}

export function longestFirst(a: Queued, b: Queued): number {
  return (b.waitSeconds ?? 0) - (a.waitSeconds ?? 0);
}
