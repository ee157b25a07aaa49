/** What can be wrong with a search text: codes with their places, and sentences for each. */

export type FaultCode =
  | 'unknownKey'
  | 'unknownKeyLike'
  | 'valueMissing'
  | 'unknownValue'
  | 'notANumber'
  | 'numberTooLarge'
  | 'notATime'
  | 'notADuration'
  | 'notAnId'
  | 'unknownSource'
  | 'operatorNotAllowed'
  | 'starNotAllowed'
  | 'starAtWrongPlace'
  | 'quoteNotClosed'
  | 'parenthesisNotClosed'
  | 'parenthesisNotOpened'
  | 'operandMissing'
  | 'tooDeep'
  | 'tooMany'
  | 'pathNotReadable'
  | 'indexInPath'
  | 'jsonNotReadable'
  | 'payloadNull';

/** Something wrong in a text, from `start` to `end`. */
export interface Fault {
  code: FaultCode;
  start: number;
  end: number;
  /** What the sentence of the code has in braces. */
  params: Readonly<Record<string, string>>;
}

export const FAULTS_EN: Readonly<Record<FaultCode, string>> = {
  unknownKey: 'There is no key “{key}”. Put the text in quotes to search for it.',
  unknownKeyLike: 'There is no key “{key}”. Do you mean “{like}”? Put the text in quotes to search for it.',
  valueMissing: '“{key}” needs a value.',
  unknownValue: '“{key}” cannot be “{value}”. Possible: {possible}.',
  notANumber: '“{value}” is not a whole number, such as 3, >2 or 1..5.',
  numberTooLarge: 'The number {value} is too large.',
  notATime: '“{value}” is not a time, such as -24h, today, 2026-01-31 or -7d..-1d.',
  notADuration: '“{value}” is not a duration, such as 5m, 1h30m or 250ms.',
  notAnId: '“{value}” is not an id: a UUID with hyphens.',
  unknownSource: 'There is no source “{value}”.',
  operatorNotAllowed: '“{operator}” is not possible with “{key}”.',
  starNotAllowed: '“*” is not possible here. Put it in quotes if it is part of the value.',
  starAtWrongPlace: '“*” can be at the end (begins with), or at both ends (contains).',
  quoteNotClosed: 'The quotation mark is not closed.',
  parenthesisNotClosed: 'The parenthesis is not closed.',
  parenthesisNotOpened: 'This parenthesis closes nothing.',
  operandMissing: '“{operator}” needs a condition on each side.',
  tooDeep: 'The conditions are nested too deeply.',
  tooMany: 'There are too many conditions.',
  pathNotReadable: 'The path in the payload cannot be read. An example: payload.customer.id=42',
  indexInPath: 'Items of a list cannot be searched by their index. Write [] for any item.',
  jsonNotReadable: 'This is not JSON.',
  payloadNull: 'A payload that is null cannot be searched for.',
};

export const FAULTS_DE: Readonly<Record<FaultCode, string>> = {
  unknownKey: 'Den Schlüssel „{key}“ gibt es nicht. In Anführungszeichen wird der Text gesucht.',
  unknownKeyLike: 'Den Schlüssel „{key}“ gibt es nicht. Ist „{like}“ gemeint? In Anführungszeichen wird der Text gesucht.',
  valueMissing: '„{key}“ braucht einen Wert.',
  unknownValue: '„{key}“ kann nicht „{value}“ sein. Möglich: {possible}.',
  notANumber: '„{value}“ ist keine ganze Zahl, wie 3, >2 oder 1..5.',
  numberTooLarge: 'Die Zahl {value} ist zu groß.',
  notATime: '„{value}“ ist keine Zeit, wie -24h, today, 2026-01-31 oder -7d..-1d.',
  notADuration: '„{value}“ ist keine Dauer, wie 5m, 1h30m oder 250ms.',
  notAnId: '„{value}“ ist keine ID: eine UUID mit Bindestrichen.',
  unknownSource: 'Die Quelle „{value}“ gibt es nicht.',
  operatorNotAllowed: '„{operator}“ ist bei „{key}“ nicht möglich.',
  starNotAllowed: '„*“ ist hier nicht möglich. Als Teil des Werts gehört es in Anführungszeichen.',
  starAtWrongPlace: '„*“ kann am Ende stehen (beginnt mit) oder an beiden Enden (enthält).',
  quoteNotClosed: 'Das Anführungszeichen ist nicht geschlossen.',
  parenthesisNotClosed: 'Die Klammer ist nicht geschlossen.',
  parenthesisNotOpened: 'Diese Klammer schließt nichts.',
  operandMissing: '„{operator}“ braucht auf jeder Seite eine Bedingung.',
  tooDeep: 'Die Bedingungen sind zu tief verschachtelt.',
  tooMany: 'Es sind zu viele Bedingungen.',
  pathNotReadable: 'Der Pfad im Payload ist nicht lesbar. Ein Beispiel: payload.customer.id=42',
  indexInPath: 'Elemente einer Liste können nicht mit ihrem Index gesucht werden. [] steht für irgendein Element.',
  jsonNotReadable: 'Das ist kein JSON.',
  payloadNull: 'Ein Payload, der null ist, kann nicht gesucht werden.',
};

/** The sentence for a fault. */
export function faultText(fault: Fault, sentences: Readonly<Record<FaultCode, string>>): string {
  return sentences[fault.code].replace(/\{(\w+)\}/g, (whole, name: string) => fault.params[name] ?? whole);
}
