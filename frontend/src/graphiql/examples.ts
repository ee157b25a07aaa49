// The tabs of a first visit: each `examples/*.graphql`, in the order of the file names, with the
// variables of the JSON file beside it. What depends on today's date is computed here.

export interface Example {
  query: string;
  variables?: string;
}

const queries = import.meta.glob<string>('./examples/*.graphql', {
  query: '?raw',
  import: 'default',
  eager: true,
});
const variables = import.meta.glob<string>('./examples/*.json', {
  query: '?raw',
  import: 'default',
  eager: true,
});

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** The last seven days in UTC, today being the seventh, as variables of the timeline. */
function lastDays(now: Date): string {
  const tomorrow = (Math.floor(now.getTime() / DAY_MS) + 1) * DAY_MS;
  const range = {
    from: new Date(tomorrow - 7 * DAY_MS).toISOString(),
    until: new Date(tomorrow).toISOString(),
    bucket: 'DAY',
  };
  return JSON.stringify(range, null, 2);
}

/** The time six hours ago. */
function before(now: Date): string {
  // oxlint-disable-next-line unicorn/no-thenable -- the name of a variable of the example
  return JSON.stringify({ then: new Date(now.getTime() - 6 * HOUR_MS).toISOString() }, null, 2);
}

function computed(path: string, now: Date): string | undefined {
  if (path.endsWith('-timeline.graphql')) {
    return lastDays(now);
  }
  return path.endsWith('-before-and-after.graphql') ? before(now) : undefined;
}

export function examples(now: Date): Example[] {
  return Object.keys(queries)
    .sort()
    .map((path) => {
      const query = (queries[path] ?? '').trimEnd();
      const given =
        computed(path, now) ?? variables[path.replace(/\.graphql$/, '.json')]?.trimEnd();
      return given === undefined ? { query } : { query, variables: given };
    });
}
