// German words of the pages of batches.
import type { batches as english } from '../en/batches';

export const batches: Record<keyof typeof english, string> = {
  'batches.title': 'Batches',
  'batches.list': 'Batches mit Jobs, die in diesem Zeitraum erstellt wurden',
  'batches.none': 'In diesem Zeitraum wurden keine Jobs mit einem Batch erstellt.',
  'batches.noneHow': 'Jobs, die mit demselben `batch` erstellt werden, erscheinen hier zusammen, mit der Zahl der fertigen.',
  'batches.hint': 'Gezählt werden die Jobs, die in diesem Zeitraum erstellt wurden.',
  'batches.newest': 'Neuester Job',
  'batches.oldest': 'Ältester Job',
  'batches.done': 'Fertig',
  'batches.doneOf': '{percent} von {count}',
  'batches.jobs': 'Jobs',
  'batches.firstCreated': 'Zuerst erstellt',
  'batches.lastFinished': 'Zuletzt beendet',
  'batches.notFinished': 'Noch nicht alle sind beendet',
  'batches.failed': 'Fehlgeschlagene Jobs dieses Batches',
  'batches.failedNone': 'Keiner seiner Jobs ist fehlgeschlagen.',
  'batches.newestJobs': 'Jobs dieses Batches, zuletzt geänderte zuerst',
  'batches.allFailed': 'Alle fehlgeschlagenen',
  'batches.facts': 'Dieser Batch',
  'batches.notFound': 'Es gibt keinen Batch mit diesem Namen.',
};
