// A part of a page with its title, its query, and what is shown while or instead of its data.
import { type ReactNode, useId } from 'react';

import type { QueryState } from '../data/use-query';
import { QueryButton } from './query-button';
import { EmptyState, ErrorState, Loading } from './states';

interface Props<R> {
  title: string;
  state: QueryState<R>;
  children: (data: R) => ReactNode;
  /** What to say instead of the children; null if there is something to show. */
  empty?: (data: R) => string | null;
  actions?: ReactNode;
  className?: string;
  /** How many lines stand for the content until it is there. */
  lines?: number;
}

export function Panel<R>({ title, state, children, empty, actions, className, lines }: Props<R>) {
  const titleId = useId();
  return (
    <section className={`panel ${className ?? ''}`} aria-labelledby={titleId}>
      <header className="panel-head">
        <h2 id={titleId}>{title}</h2>
        <div className="panel-actions">
          {actions}
          <QueryButton title={title} asked={state.asked} />
        </div>
      </header>
      <PanelBody state={state} empty={empty} lines={lines}>
        {children}
      </PanelBody>
    </section>
  );
}

interface BodyProps<R> {
  state: QueryState<R>;
  children: (data: R) => ReactNode;
  empty?: ((data: R) => string | null) | undefined;
  lines?: number | undefined;
}

/** The same without a head, for pages that are one list. */
export function PanelBody<R>({ state, children, empty, lines }: BodyProps<R>) {
  const { data, error, refetch, isOld } = state;
  const nothing = data === undefined ? null : (empty?.(data) ?? null);
  return (
    <>
      {error && <ErrorState error={error} onRetry={refetch} />}
      {data === undefined && !error && <Loading lines={lines ?? 3} />}
      {nothing !== null && <EmptyState>{nothing}</EmptyState>}
      {data !== undefined && nothing === null && (
        <div className={isOld ? 'is-old' : undefined}>{children(data)}</div>
      )}
    </>
  );
}
