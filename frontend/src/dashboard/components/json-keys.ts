/** The keys of a tree, as the pattern of WAI-ARIA has them. */
import { isContainer, parentOf, type Row } from '../json/tree.ts';

export interface Move {
  /** The row to go to. */
  to?: Row | undefined;
  /** The container to open or close. */
  toggle?: Row;
  /** Follow the link of the row. */
  follow?: true;
}

/** What a key does at a row; null: nothing. */
export function treeMove(rows: readonly Row[], position: number, key: string): Move | null {
  const row = rows[position];
  if (row === undefined) return null;
  switch (key) {
    case 'ArrowDown':
      return { to: rows[position + 1] };
    case 'ArrowUp':
      return { to: rows[position - 1] };
    case 'PageDown':
      return { to: rows[Math.min(rows.length - 1, position + 15)] };
    case 'PageUp':
      return { to: rows[Math.max(0, position - 15)] };
    case 'Home':
      return { to: rows[0] };
    case 'End':
      return { to: rows.at(-1) };
    case 'ArrowRight':
      return right(rows, position, row);
    case 'ArrowLeft':
      return left(rows, row);
    case 'Enter':
    case ' ':
      return canOpen(row) ? { toggle: row } : { follow: true };
    default:
      return null;
  }
}

function canOpen(row: Row): boolean {
  return isContainer(row.value) && row.size > 0;
}

function right(rows: readonly Row[], position: number, row: Row): Move {
  if (!canOpen(row)) return {};
  return row.isOpen ? { to: rows[position + 1] } : { toggle: row };
}

function left(rows: readonly Row[], row: Row): Move {
  if (row.isOpen) return { toggle: row };
  const container = parentOf(row.pointer);
  return { to: rows.find(({ pointer }) => pointer === container) };
}
