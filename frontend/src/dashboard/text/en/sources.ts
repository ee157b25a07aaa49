// English words of the pages of sources.
export const sources = {
  'sources.title': 'Sources',
  'sources.list': 'Systems whose jobs are recorded here',
  'sources.ok': 'Reading',
  'sources.never': 'never',
  'sources.client': 'Reported by a client',
  'sources.readOnly': 'Read-only',
  'sources.readOnlyHint': 'Its jobs are changed there: no one can cancel or retry them here.',
  'sources.kind': 'Kind',
  'sources.lag': 'Behind',
  'sources.lagHint': 'It grows while the mirror does not run',
  'sources.lastSeen': 'Last seen',
  'sources.backlog': 'Log kept for it',
  'sources.error': 'It cannot be read now',
  'sources.newest': 'Newest jobs',
  'sources.noJobs': 'No job of this source has been recorded yet.',
  'sources.statuses': 'Jobs by status',
  'sources.notFound': 'There is no such source.',
  'sources.facts': 'This source',
  'sources.none': 'No other system is recorded here yet',
  'sources.noneWhy':
    'Jobs that are created through the API need no source. Jobs of another queue get here in one of two ways; the queue goes on as it is.',
  'sources.mirror': 'Mirror a queue in PostgreSQL',
  'sources.mirrorWhy':
    'Joblens reads the tables of Procrastinate, River, Oban, GoodJob, Solid Queue, pg-boss, graphile-worker, PgQueuer, Chancy and django-tasks, and writes nothing there:',
  'sources.client.title': 'Instrument a Python worker',
  'sources.clientWhy':
    'A client reports what happens in Celery, Dramatiq, RQ, arq, Taskiq, Huey and SAQ. For Celery:',
} as const;
