// German words of the acts on jobs.
import type { acts as english } from '../en/acts';

export const acts: Record<keyof typeof english, string> = {
  'role.VIEWER': 'Betrachter',
  'role.WRITER': 'Schreiber',
  'role.OPERATOR': 'Operator',
  'role.ADMIN': 'Admin',
  'acts.label': 'Aktionen',
  'acts.retry': 'Wiederholen',
  'acts.cancel': 'Job abbrechen',
  'acts.reschedule': 'Verschieben',
  'acts.rerun': 'Als neuen Job ausführen',
  'acts.created': 'Ein Job vom Typ {type} wurde erstellt.',
  'acts.rerunSubmit': 'Job erstellen',
  'acts.open': 'Öffnen',
  'acts.back': 'Zurück',
  'acts.undo': 'Rückgängig',
  'acts.retried': '{type} wartet wieder.',
  'acts.canceled': '{type} wurde abgebrochen.',
  'acts.rescheduled': '{type} wurde verschoben.',
  'acts.someoneFaster':
    'Jemand war schneller: Der Status von {type} ist jetzt „{status}“. Nichts wurde geändert.',
  'acts.readOnly': 'Den Job führt {source} aus; nur dort kann er geändert werden.',
  'acts.deleted': 'Den Job gibt es nicht mehr: Er wurde gelöscht. {type}',
  'acts.invalid': 'Der Server lehnt {field} ab: {message}',
  'acts.error.FORBIDDEN': 'Ihre Rollen erlauben das nicht. Nichts wurde geändert.',
  'acts.error.READ_ONLY_DATABASE': 'Die Datenbank nimmt keine Änderungen an: Sie ist ein Standby-Server.',
  'acts.error.UNREACHABLE':
    'Der Server war nicht zu erreichen. Ob der Job geändert wurde, ist nicht bekannt.',
  'acts.error.TIMEOUT':
    'Die Datenbank brauchte zu lange. Ob der Job geändert wurde, ist nicht bekannt.',
  'acts.readOnlyBadge': 'Nur Lesezugriff: {role}',
  'acts.readOnlyRole': 'Ihre Rolle ist {role}. Operatoren und Admins dürfen Jobs ändern.',
  'acts.refusal.source': 'Den Job führt {source} aus; nur dort kann er geändert werden.',
  'acts.refusal.ended': 'Der Job ist beendet.',
  'acts.refusal.notStarted': 'Der Job wartet schon.',
  'acts.refusal.running': 'Der Job läuft.',
  'acts.refusal.succeeded': 'Der Job war erfolgreich. Führen Sie ihn als neuen aus.',
  'acts.refusal.notQueued': 'Nur ein wartender Job kann verschoben werden.',
  'acts.refusal.other': 'Der Zustand des Jobs erlaubt das nicht.',
  'acts.cancelTitle': 'Diesen Job abbrechen?',
  'acts.cancelRunning':
    'Er läuft. Sein Worker wird nicht angehalten, doch was er danach meldet, wird abgelehnt.',
  'acts.reason': 'Grund (optional)',
  'acts.rescheduleTitle': 'Verschieben',
  'acts.when': 'Fällig',
  'acts.when.now': 'Jetzt',
  'acts.when.at': 'Zu einem Zeitpunkt',
  'acts.when.same': 'Wie bisher',
  'acts.time': 'Zeit ({zone})',
  'acts.priority': 'Priorität: höhere laufen zuerst',
  'acts.rerunTitle': 'Als neuen Job ausführen',
  'acts.rerunHint':
    'Ein neuer Job, sofort fällig. Typ, Anforderer, übergeordneter Job, Batch und Tags sind dieselben.',
  'acts.payloadSame':
    'Die Payload wird kopiert, wie sie gespeichert ist, mit allem, was hier verborgen ist.',
  'acts.payloadFault': 'Das ist kein JSON: Zeile {line}, Spalte {column}.',
  'acts.payloadRedacted':
    'Ein Teil davon ist für Sie als [redacted] verborgen: Setzen Sie seinen Wert ein, oder lassen Sie die Payload, wie sie war.',
  'acts.payloadRounded': 'Dieser Browser würde eine Zahl darin runden. Nichts wird gesendet.',
};
