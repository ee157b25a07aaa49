// What the detail of an event says: who did it, why, on which worker, with which error; and the rest as JSON.
import { type ExactObject, type ExactValue, isObject, setMember } from '../../json/value.ts';
import { writeExact } from '../../json/write.ts';

export interface DetailText {
  by: string | null;
  reason: string | null;
  worker: string | null;
  error: string | null;
  /** From 0 to 1. */
  progress: number | null;
  step: string | null;
  /** The other members. */
  rest: string | null;
}

const NAMED: ReadonlySet<string> = new Set(['by', 'reason', 'worker', 'error_code', 'error_message', 'progress']);

export function readDetail(detail: unknown): DetailText {
  const value = (detail ?? null) as ExactValue;
  const object: ExactObject = isObject(value) ? value : {};
  const progress = isObject(object['progress'] ?? null) ? (object['progress'] as ExactObject) : {};
  const errors = [text(object['error_code']), text(object['error_message'])].filter((each) => each !== null);
  const fraction = Number(String(progress['fraction'] ?? ''));
  return {
    by: text(object['by']),
    reason: text(object['reason']),
    worker: text(object['worker']),
    error: errors.length === 0 ? null : errors.join(': '),
    progress: 'fraction' in progress && Number.isFinite(fraction) ? fraction : null,
    step: text(progress['step']),
    rest: restOf(value, object),
  };
}

function text(value: ExactValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function restOf(value: ExactValue, object: ExactObject): string | null {
  if (value === null) return null;
  if (!isObject(value)) return writeExact(value);
  const rest: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(object)) {
    // What is named is left out only if it was understood.
    const isShown = NAMED.has(key) && (key === 'progress' ? isObject(member) : text(member) !== null);
    if (!isShown) setMember(rest, key, member);
  }
  return Object.keys(rest).length === 0 ? null : writeExact(rest as ExactObject);
}
