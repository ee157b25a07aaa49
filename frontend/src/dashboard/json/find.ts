/** Finding text in a JSON value, with bounded work. */

import { isContainer, pointerTo, type Pointer } from './tree.ts';
import { isArray, type ExactValue } from './value.ts';

export interface Found {
  /** The nodes whose name or value contains the text, in the order of the rows. */
  pointers: Pointer[];
  /** Whether everything was searched. */
  isComplete: boolean;
}

export interface FindLimits {
  matches: number;
  nodes: number;
}

const LIMITS: FindLimits = { matches: 1_000, nodes: 500_000 };

/** A node to visit: its container's place is written only if something in it matches. */
interface Visit {
  value: ExactValue;
  key: string | number | null;
  container: Visit | null;
}

/** Find the nodes whose name or value contains a text in upper or lower case. */
export function find(value: ExactValue, text: string, limits: Partial<FindLimits> = {}): Found {
  const { matches, nodes } = { ...LIMITS, ...limits };
  const wanted = text.toLowerCase();
  const found: Visit[] = [];
  const pending: Visit[] = [{ value, key: null, container: null }];
  for (let count = 0; wanted !== ''; count += 1) {
    const visit = pending.pop();
    if (visit === undefined) break;
    if (count >= nodes || found.length >= matches) return { pointers: found.map(pointerOf), isComplete: false };
    if (matchesText(visit, wanted)) found.push(visit);
    pushChildren(visit, pending);
  }
  return { pointers: found.map(pointerOf), isComplete: true };
}

function pushChildren(container: Visit, pending: Visit[]): void {
  const { value } = container;
  if (!isContainer(value)) return;
  if (isArray(value)) {
    for (let key = value.length - 1; key >= 0; key -= 1) pending.push({ value: value[key] ?? null, key, container });
    return;
  }
  const entries = Object.entries(value);
  for (let index = entries.length - 1; index >= 0; index -= 1) {
    const [key, child] = entries[index] ?? ['', null];
    pending.push({ value: child, key, container });
  }
}

function matchesText({ key, value }: Visit, wanted: string): boolean {
  if (typeof key === 'string' && key.toLowerCase().includes(wanted)) return true;
  return !isContainer(value) && String(value).toLowerCase().includes(wanted);
}

function pointerOf(visit: Visit): Pointer {
  const keys: (string | number)[] = [];
  for (let each = visit; each.container !== null && each.key !== null; each = each.container) keys.push(each.key);
  return keys.reduceRight<Pointer>(pointerTo, '');
}
