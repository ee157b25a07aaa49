// The events as a list of which only those in view exist. Read on as it is scrolled.
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';

import { t } from '../../text/text';
import { EventRow } from './event-row';
import type { EventLogState } from './use-event-log';

const HEIGHT = 30;
const OVERSCAN = 10;
/** Reads on when so few rows are left below. */
const AHEAD = 20;

interface Props {
  events: EventLogState;
  onActor: (by: string) => void;
}

export function EventList({ events: { log, loadMore }, onActor }: Props) {
  const list = useRef<HTMLOListElement>(null);
  const [margin, setMargin] = useState(0);
  const { rows } = log;
  useLayoutEffect(() => {
    const top = (list.current?.getBoundingClientRect().top ?? 0) + window.scrollY;
    setMargin(Math.round(top));
  }, [rows.length === 0]);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => HEIGHT,
    overscan: OVERSCAN,
    scrollMargin: margin,
    getItemKey: (index) => rows[index]?.node.id ?? index,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= rows.length - AHEAD) loadMore();
  }, [last, rows.length, loadMore]);
  return (
    <ol
      ref={list}
      className="event-list"
      aria-label={t('activity.list')}
      style={{ height: virtual.getTotalSize() }}
    >
      {items.map((item) => {
        const entry = rows[item.index];
        return entry ? (
          <li
            key={item.key}
            ref={virtual.measureElement}
            data-index={item.index}
            aria-posinset={item.index + 1}
            aria-setsize={log.hasMore ? -1 : rows.length}
            style={{ transform: `translateY(${item.start - margin}px)` }}
          >
            <EventRow event={entry.node} onActor={onActor} />
          </li>
        ) : null;
      })}
    </ol>
  );
}
