// The paths of pages, below the root. Names are encoded: one may hold a slash.

const encoded = (name: string): string => encodeURIComponent(name);

/** The list of the jobs that a text of the search language finds. */
export function jobsPath(query: string): string {
  return query === '' ? '/jobs' : `/jobs?${new URLSearchParams({ q: query }).toString()}`;
}

export const jobPath = (id: string): string => `/jobs/${encoded(id)}`;
export const errorPath = (id: string): string => `/errors/${encoded(id)}`;
export const queuePath = (name: string): string => `/queues/${encoded(name)}`;
export const typePath = (name: string): string => `/types/${encoded(name)}`;
export const batchPath = (name: string): string => `/batches/${encoded(name)}`;
export const sourcePath = (id: string): string => `/sources/${encoded(id)}`;

/** A term of the search language, quoted if need be. */
export function term(key: string, value: string): string {
  return `${key}:${/^[\p{L}\p{N}_][\p{L}\p{N}_.:/-]*$/u.test(value) ? value : JSON.stringify(value)}`;
}

/** The term for an object by its global id, whose first part the search language adds. */
export function idTerm(key: 'errorgroup' | 'source', id: string): string {
  return term(key, id.slice(id.indexOf(':') + 1));
}

/** The term for the times from one to another, in milliseconds since the epoch. */
export function timeTerm(key: string, from: number, until: number): string {
  return `${key}:${new Date(from).toISOString()}..${new Date(until).toISOString()}`;
}
