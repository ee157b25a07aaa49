// German words of the page of activity.
import type { activity as english } from '../en/activity';

export const activity: Record<keyof typeof english, string> = {
  'activity.title': 'Aktivität',
  'activity.status': 'Neuer Status',
  'activity.type': 'Typ beginnt mit',
  'activity.by': 'Veranlasst von',
  'activity.arrived.one': '{count} neues Ereignis',
  'activity.arrived.other': '{count} neue Ereignisse',
  'activity.show': '{count} anzeigen',
  'activity.list': 'Ereignisse, die neuesten zuerst',
  'activity.none': 'Noch keine Ereignisse. Sie erscheinen hier, sobald etwas geschieht.',
  'activity.noneFiltered': 'Keine passenden Ereignisse. Neue erscheinen hier, sobald sie geschehen.',
  'activity.created': 'Erstellt',
  'activity.note': 'Notiz',
  'activity.by.name': 'von {name}',
  'activity.worker': 'auf {name}',
  'activity.attempt': 'Versuch {attempt}',
  'activity.progress': '{percent} fertig',
  'activity.inexact': 'Die Quelle hat diese Zeit nicht gemeldet: Es ist die nächste, die bekannt ist',
  'activity.loading': 'Ältere Ereignisse werden geladen …',
  'activity.end': 'Keine älteren Ereignisse.',
  'activity.full': 'Auf dieser Seite bleiben höchstens {count} Ereignisse.',
  'activity.older': 'Mit älteren fortfahren',
  'activity.until': 'Bis {time}. Neue Ereignisse werden nicht angezeigt.',
  'activity.now': 'Zurück zu jetzt',
};
