// A JSON value of any size: only the rows in view are in the page. By keyboard as a tree.
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useId, useMemo, useRef, useState } from 'react';

import { jsonPath } from '../json/path';
import {
  isContainer,
  openAtFirst,
  opened,
  parentOf,
  pathOf,
  type Pointer,
  type Row,
  rows as rowsOf,
  toggled,
} from '../json/tree';
import type { ExactValue } from '../json/value';
import { copyText } from '../json/write';
import { number, t } from '../text/text';
import { CopyButton } from './copy-button';
import { JsonFind } from './json-find';
import { JsonRow, ROW_HEIGHT } from './json-row';
import { treeMove } from './json-keys';

const MOST_HEIGHT = 440;
const OPEN_ALL_ROWS = 10_000;

export interface JsonTreeProps {
  value: ExactValue;
  /** What the value is, for assistive technology. */
  label: string;
  /** The address of the jobs that have a value at a path; without it there are no such links. */
  jobsWith?: (path: readonly (string | number)[], value: ExactValue) => string;
  /** Without the row of tools, for small values. */
  isPlain?: boolean;
}

export default function JsonTreeView({ value, label, jobsWith, isPlain = false }: JsonTreeProps) {
  const [open, setOpen] = useState(() => openAtFirst(value));
  const [active, setActive] = useState<Pointer>('');
  const [found, setFound] = useState<ReadonlySet<Pointer>>(NOTHING);
  const rows = useMemo(() => rowsOf(value, open), [value, open]);
  const show = (pointer: Pointer) => {
    const container = parentOf(pointer);
    if (container !== null) setOpen((before) => opened(before, container));
    setActive(pointer);
  };
  return (
    <div className="json">
      {!isPlain && isContainer(value) && (
        <div className="json-tools">
          <JsonFind value={value} label={label} onFound={setFound} onShow={show} />
          <button type="button" className="quiet" onClick={() => setOpen(openAtFirst(value, OPEN_ALL_ROWS))}>
            {t('json.openAll')}
          </button>
          <button type="button" className="quiet" onClick={() => (setOpen(new Set([''])), setActive(''))}>
            {t('json.closeAll')}
          </button>
          <CopyButton text={() => copyText(value)} label={t('json.copyAll')} />
        </div>
      )}
      <Rows {...{ rows, active, setActive, found, label, jobsWith, value }} onToggle={(row) => setOpen(toggled(open, row.pointer))} />
      {!isPlain && <Selected row={rows.find((row) => row.pointer === active)} value={value} jobsWith={jobsWith} />}
    </div>
  );
}

const NOTHING: ReadonlySet<Pointer> = new Set();

interface RowsProps {
  rows: readonly Row[];
  active: Pointer;
  setActive: (pointer: Pointer) => void;
  found: ReadonlySet<Pointer>;
  label: string;
  value: ExactValue;
  jobsWith: JsonTreeProps['jobsWith'];
  onToggle: (row: Row) => void;
}

function Rows({ rows, active, setActive, found, label, value, jobsWith, onToggle }: RowsProps) {
  const box = useRef<HTMLDivElement>(null);
  const idStem = useId();
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
  });
  const position = Math.max(0, rows.findIndex((row) => row.pointer === active));
  const shown = useRef(active);
  if (shown.current !== active) {
    shown.current = active;
    // After this rendering: the rows may have just become open.
    queueMicrotask(() => virtual.scrollToIndex(position, { align: 'auto' }));
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = treeMove(rows, position, event.key);
    if (move === null) return;
    event.preventDefault();
    if (move.toggle) onToggle(move.toggle);
    if (move.to) setActive(move.to.pointer);
    if (move.follow) box.current?.querySelector<HTMLElement>(`[data-active="true"] a`)?.click();
  };
  return (
    <div
      ref={box}
      className="json-rows"
      role="tree"
      aria-label={label}
      tabIndex={0}
      aria-activedescendant={`${idStem}${position}`}
      style={{ height: Math.min(MOST_HEIGHT, rows.length * ROW_HEIGHT + 2) }}
      onKeyDown={onKeyDown}
    >
      <div role="presentation" className="json-all" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index];
          if (row === undefined) return null;
          return (
            <JsonRow
              key={row.pointer}
              id={`${idStem}${index}`}
              row={row}
              top={start}
              isActive={index === position}
              isFound={found.has(row.pointer)}
              href={isContainer(row.value) || !jobsWith ? undefined : jobsWith(pathOf(value, row.pointer), row.value)}
              onClick={() => {
                setActive(row.pointer);
                if (isContainer(row.value)) onToggle(row);
              }}
            />
          );
        })}
      </div>
    </div>
  );
}

interface SelectedProps {
  row: Row | undefined;
  value: ExactValue;
  jobsWith: JsonTreeProps['jobsWith'];
}

/** What can be done with the row that was chosen; a long text is here as a whole. */
function Selected({ row, value }: SelectedProps) {
  if (row === undefined || row.pointer === '') return null;
  const path = jsonPath(pathOf(value, row.pointer));
  return (
    <div className="json-selected">
      <code dir="ltr" title={path.slice(0, 1_000)}>{path}</code>
      <span className="muted">{sizeText(row)}</span>
      <CopyButton text={path} label={t('json.copyPath')} />
      <CopyButton text={() => copyText(row.value)} label={t('json.copyValue')} />
      {row.kind === 'string' && row.size > 80 && (
        <pre className="json-text" tabIndex={0} dir="auto">
          {String(row.value).slice(0, 50_000)}
        </pre>
      )}
    </div>
  );
}

function sizeText({ kind, size }: Row): string {
  if (kind === 'string') return t('json.characters', { count: number(size) });
  if (kind === 'array' || kind === 'object') return t('json.entries', { count: number(size) });
  return t(`json.kind.${kind}`);
}
