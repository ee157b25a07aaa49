// German words of the pages of sources.
import type { sources as english } from '../en/sources';

export const sources: Record<keyof typeof english, string> = {
  'sources.title': 'Quellen',
  'sources.list': 'Systeme, deren Jobs hier aufgezeichnet werden',
  'sources.ok': 'Wird gelesen',
  'sources.never': 'nie',
  'sources.client': 'Von einem Client gemeldet',
  'sources.readOnly': 'Nur lesbar',
  'sources.readOnlyHint': 'Ihre Jobs werden dort geändert: Hier kann niemand sie abbrechen oder wiederholen.',
  'sources.kind': 'Art',
  'sources.lag': 'Rückstand',
  'sources.lagHint': 'Er wächst, solange der Mirror nicht läuft',
  'sources.lastSeen': 'Zuletzt gesehen',
  'sources.backlog': 'Dafür vorgehaltenes Log',
  'sources.error': 'Sie kann gerade nicht gelesen werden',
  'sources.newest': 'Neueste Jobs',
  'sources.noJobs': 'Von dieser Quelle ist noch kein Job aufgezeichnet.',
  'sources.statuses': 'Jobs nach Status',
  'sources.notFound': 'Diese Quelle gibt es nicht.',
  'sources.facts': 'Diese Quelle',
  'sources.none': 'Noch wird hier kein anderes System aufgezeichnet',
  'sources.noneWhy':
    'Jobs, die über die API erstellt werden, brauchen keine Quelle. Jobs einer anderen Queue kommen auf einem von zwei Wegen hierher; die Queue selbst läuft weiter wie bisher.',
  'sources.mirror': 'Eine Queue in PostgreSQL spiegeln',
  'sources.mirrorWhy':
    'Joblens liest die Tabellen von Procrastinate, River, Oban, GoodJob, Solid Queue, pg-boss, graphile-worker, PgQueuer, Chancy und django-tasks und schreibt dort nichts:',
  'sources.client.title': 'Einen Python-Worker instrumentieren',
  'sources.clientWhy':
    'Ein Client meldet, was in Celery, Dramatiq, RQ, arq, Taskiq, Huey und SAQ geschieht. Für Celery:',
};
