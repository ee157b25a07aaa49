// German words of the overview.
import type { overview as english } from '../en/overview';

export const overview: Record<keyof typeof english, string> = {
  'overview.title': 'Übersicht',
  'overview.statuses': 'Jobs nach Status',
  'overview.attention': 'Braucht Aufmerksamkeit',
  'overview.attentionNone':
    'Nichts braucht Aufmerksamkeit: Kein Job ist verspätet, hängt oder ist langsam.',
  'overview.throughput': 'Durchsatz und Fehlschläge',
  'overview.topErrors': 'Fehler',
  'overview.noErrors': 'Keine Fehler in diesem Zeitraum.',
  'overview.slowest': 'Typen nach Dauer',
  'overview.activity': 'Ereignisse live',
  'overview.noEvents': 'Noch keine Ereignisse. Sie erscheinen hier, sobald etwas geschieht.',
  'overview.queues': 'Queues',
};
