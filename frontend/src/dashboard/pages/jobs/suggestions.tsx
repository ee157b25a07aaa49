// Completions of what is typed into the search box: keys, and values that jobs have.
import { type KeyboardEvent, useEffect, useId, useState } from 'react';

import { useQuery } from '../../data/use-query';
import { JobsSuggestDocument } from '../../generated/graphql';
import { applied, complete, type Option, valueOption } from '../../language/complete';
import { countText, t } from '../../text/text';
import { useNames } from './use-search';

interface Suggestion extends Option {
  /** How many jobs have it. */
  count?: string;
}

export interface SuggestionsState {
  options: readonly Suggestion[];
  isOpen: boolean;
  /** The index of the one that Enter takes; -1: none. */
  active: number;
  activeId: string | undefined;
  idOf: (index: number) => string;
  open: () => void;
  close: () => void;
  take: (index: number) => void;
  onKeyDown: (event: KeyboardEvent) => void;
}

type Take = (text: string, caret: number) => void;

/** What can come next at the caret. `onTake` gets the text with what was chosen. */
export function useSuggestions(text: string, caret: number, onTake: Take): SuggestionsState {
  const [isWanted, setWanted] = useState(false);
  const [active, setActive] = useState(-1);
  const id = useId();
  const completion = complete(text, caret, useNames(text));
  const options = useOptions(completion, isWanted);
  useEffect(() => setActive(-1), [text, caret]);
  const isOpen = isWanted && options.length > 0;
  const idOf = (index: number) => `${id}-${index}`;

  function take(index: number) {
    const option = options[index];
    if (!option) return;
    const next = applied(text, completion, option);
    onTake(next.text, next.caret);
  }
  function onKeyDown(event: KeyboardEvent) {
    if (event.key === 'Escape' && isOpen) {
      event.stopPropagation();
      setWanted(false);
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      setWanted(true);
      setActive((before) => moved(before, event.key === 'ArrowDown' ? 1 : -1, options.length));
    } else if (isOpen && (event.key === 'Tab' || event.key === 'Enter') && active >= 0) {
      event.preventDefault();
      take(active);
    } else return;
  }
  return {
    options,
    isOpen,
    active,
    activeId: isOpen && active >= 0 ? idOf(active) : undefined,
    idOf,
    open: () => setWanted(true),
    close: () => setWanted(false),
    take,
    onKeyDown,
  };
}

/** Goes round, with one place at which none is active. */
function moved(active: number, by: number, count: number): number {
  const next = active + by;
  if (next < -1) return count - 1;
  return next >= count ? -1 : next;
}

function useOptions(completion: ReturnType<typeof complete>, isWanted: boolean): Suggestion[] {
  const { suggest } = completion;
  const asked = useQuery(
    JobsSuggestDocument,
    { field: suggest?.field ?? 'TYPE', prefix: suggest?.prefix ?? '' },
    { pause: !isWanted || suggest === null },
  );
  if (suggest === null) return [...completion.options];
  const found = asked.isOld ? [] : (asked.data?.suggest ?? []);
  return [
    ...found.map(({ value, count }) => ({ ...valueOption(value), count: countText(count) })),
    ...completion.options,
  ];
}

interface Props {
  id: string;
  suggestions: SuggestionsState;
}

export function Suggestions({ id, suggestions }: Props) {
  const { options, isOpen, active, idOf, take } = suggestions;
  return (
    <ul
      id={id}
      role="listbox"
      aria-label={t('jobs.suggestions')}
      className="suggestions"
      hidden={!isOpen}
    >
      {options.map(({ text, label, count }, index) => (
        <li
          key={text}
          id={idOf(index)}
          role="option"
          aria-selected={index === active}
          // The box keeps the focus.
          onPointerDown={(event) => (event.preventDefault(), take(index))}
        >
          <code>{label ?? text}</code>
          {count !== undefined && <span className="muted">{count}</span>}
        </li>
      ))}
    </ul>
  );
}
