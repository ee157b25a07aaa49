/** The keys of the search language, and the members of `JobFilter` that they stand for. */

import type { IdField, IntegerField, LongerField, SecondsField, SuggestField, TextField, TimeField } from './job-filter.ts';

export type KeySpec = { key: string; aliases?: readonly string[]; suggest?: SuggestField } & (
  | { kind: 'text'; field: TextField; isSearched?: true }
  | { kind: 'status'; field: 'status' }
  | { kind: 'health'; field: 'health' }
  | { kind: 'ids'; field: 'ids' }
  | { kind: 'id'; field: IdField; prefix: string }
  | { kind: 'tag'; field: 'tags' }
  | { kind: 'integer'; field: IntegerField }
  | { kind: 'time'; field: TimeField }
  | { kind: 'seconds'; field: SecondsField }
  | { kind: 'longer'; field: LongerField }
);

/** All keys, in the order in which they are offered and written. */
export const KEYS: readonly KeySpec[] = [
  { key: 'status', kind: 'status', field: 'status' },
  { key: 'health', kind: 'health', field: 'health' },
  { key: 'type', kind: 'text', field: 'type', suggest: 'TYPE' },
  { key: 'queue', kind: 'text', field: 'queue', suggest: 'QUEUE' },
  { key: 'by', kind: 'text', field: 'requestedBy', suggest: 'REQUESTED_BY', aliases: ['requester'] },
  { key: 'error', kind: 'text', field: 'lastErrorCode', suggest: 'LAST_ERROR_CODE', aliases: ['code'] },
  { key: 'message', kind: 'text', field: 'lastErrorMessage', isSearched: true },
  { key: 'errorgroup', kind: 'id', field: 'errorGroup', prefix: 'error-group:' },
  { key: 'worker', kind: 'text', field: 'worker', suggest: 'WORKER' },
  { key: 'batch', kind: 'text', field: 'batch', suggest: 'BATCH' },
  { key: 'tag', kind: 'tag', field: 'tags' },
  { key: 'source', kind: 'id', field: 'source', prefix: 'source:' },
  { key: 'external', kind: 'text', field: 'externalId' },
  { key: 'key', kind: 'text', field: 'idempotencyKey' },
  { key: 'id', kind: 'ids', field: 'ids' },
  { key: 'parent', kind: 'id', field: 'parentId', prefix: '' },
  { key: 'attempt', kind: 'integer', field: 'attempt', aliases: ['attempts'] },
  { key: 'priority', kind: 'integer', field: 'priority' },
  { key: 'waiting', kind: 'longer', field: 'waitingLongerThan' },
  { key: 'running', kind: 'longer', field: 'runningLongerThan' },
  { key: 'wait', kind: 'seconds', field: 'waitSeconds' },
  { key: 'run', kind: 'seconds', field: 'runSeconds', aliases: ['took'] },
  { key: 'created', kind: 'time', field: 'createdAt' },
  { key: 'updated', kind: 'time', field: 'updatedAt' },
  { key: 'scheduled', kind: 'time', field: 'scheduledAt' },
  { key: 'started', kind: 'time', field: 'startedAt' },
  { key: 'finished', kind: 'time', field: 'finishedAt' },
];

const BY_NAME = new Map(KEYS.flatMap((spec) => [spec.key, ...(spec.aliases ?? [])].map((name) => [name, spec] as const)));

/** The key with a name, in upper or lower case. */
export function keyNamed(name: string): KeySpec | undefined {
  return BY_NAME.get(name.toLowerCase());
}

/** The key that is most like a name; undefined if none is like it. */
export function keyLike(name: string): string | undefined {
  const wanted = name.toLowerCase();
  const known = [...BY_NAME.keys(), 'payload'];
  const begins = known.find((key) => wanted.length > 1 && key.startsWith(wanted));
  if (begins !== undefined) return begins;
  const [nearest, distance] = known
    .map((key) => [key, editDistance(wanted, key)] as const)
    .reduce((best, each) => (each[1] < best[1] ? each : best));
  return distance <= Math.max(1, Math.floor(wanted.length / 3)) ? nearest : undefined;
}

/** How many characters differ (Levenshtein); long names are not like any key. */
function editDistance(a: string, b: string): number {
  if (a.length > 20) return a.length;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? a.length;
}
