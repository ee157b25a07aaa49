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
