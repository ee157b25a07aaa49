// German words of the pages of types.
import type { types as english } from '../en/types';

export const types: Record<keyof typeof english, string> = {
  'types.title': 'Typen',
  'types.none': 'In diesem Zeitraum wurden keine Jobs erstellt.',
  'types.list': 'Typen der in diesem Zeitraum erstellten Jobs',
  'types.failureRate': 'Fehlerquote',
  'types.failureRateHint': 'Fehlgeschlagen oder aufgegeben, von den Jobs, die Erfolg hatten, fehlschlugen oder aufgegeben wurden',
  'types.newest': 'Neuester Job',
  'types.jobs': 'Erstellte Jobs',
  'types.run': 'Laufzeit',
  'types.runOver': 'Laufzeit im Verlauf',
  'types.wait': 'Wartezeit',
  'types.waitOver': 'Wartezeit im Verlauf',
  'types.p50': 'Median',
  'types.p95': '95 %',
  'types.p99': '99 %',
  'types.failuresOver': 'Fehlerquote im Verlauf',
  'types.failedRuns': 'Fehlgeschlagene Versuche',
  'types.throughput': 'Durchsatz',
  'types.errors': 'Fehler',
  'types.errorsNone': 'In diesem Zeitraum keine Fehler dieses Typs.',
  'types.slowest': 'Langsamste Jobs',
  'types.slowestNone': 'In diesem Zeitraum wurde kein Job dieses Typs beendet.',
  'types.slowestHint': 'Von den neuesten {count}, die länger als {duration} dauerten.',
  'types.noneOfThis': 'In diesem Zeitraum wurden keine Jobs dieses Typs erstellt.',
  'types.lastRunPartial': 'Der letzte Abschnitt ist noch nicht vorbei.',
};
