// One box to search with: a text, completed as it is typed; its conditions are chips below it.
import { type SubmitEvent, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';

import { Icon } from '../../components/icon';
import { timeStyle } from '../../components/time';
import { useKey } from '../../components/use-key';
import { FAULTS_DE, FAULTS_EN, faultText } from '../../language/faults';
import { language, t } from '../../text/text';
import { formatTime } from '../../time/format';
import { Suggestions, useSuggestions } from './suggestions';
import type { Search } from './use-search';

export function SearchBar({ search }: { search: Search }) {
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(search.view.q);
  const [caret, setCaret] = useState(0);
  const listId = useId();
  const { q } = search.view;
  useEffect(() => setTyped(q), [q]);
  useKey('/', () => input.current?.focus());
  // Before the next key comes, the caret is behind what was put in.
  const wanted = useRef<number | null>(null);
  useLayoutEffect(() => {
    if (wanted.current === null) return;
    input.current?.setSelectionRange(wanted.current, wanted.current);
    wanted.current = null;
  });
  const suggestions = useSuggestions(typed, caret, (next, at) => {
    wanted.current = at;
    setTyped(next);
    setCaret(at);
  });

  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    suggestions.close();
    search.set(typed);
  }
  return (
    <search className="search">
      <form onSubmit={submit}>
        <Icon name="search" />
        <input
          ref={input}
          type="text"
          role="combobox"
          aria-label={t('jobs.search')}
          aria-expanded={suggestions.isOpen}
          aria-controls={listId}
          aria-autocomplete="list"
          aria-activedescendant={suggestions.activeId}
          aria-invalid={search.faults.length > 0 || undefined}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          enterKeyHint="search"
          placeholder={t('jobs.searchHint')}
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setCaret(event.target.selectionStart ?? event.target.value.length);
            suggestions.open();
          }}
          onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
          onFocus={suggestions.open}
          onBlur={suggestions.close}
          onKeyDown={suggestions.onKeyDown}
        />
        {typed !== '' && (
          <button
            type="button"
            className="quiet"
            aria-label={t('jobs.searchClear')}
            onClick={() => (setTyped(''), search.set(''), input.current?.focus())}
          >
            <Icon name="close" />
          </button>
        )}
        <button type="submit" className="primary">
          {t('jobs.searchDo')}
        </button>
      </form>
      <Suggestions id={listId} suggestions={suggestions} />
      <Faults search={search} />
      <Chips search={search} />
    </search>
  );
}

function Faults({ search: { faults } }: { search: Search }) {
  if (faults.length === 0) return null;
  const sentences = language === 'de' ? FAULTS_DE : FAULTS_EN;
  return (
    <ul className="faults" role="alert">
      {faults.map((fault) => (
        <li key={`${fault.start}${fault.code}`}>{faultText(fault, sentences)}</li>
      ))}
    </ul>
  );
}

function Chips({ search }: { search: Search }) {
  const { from, until } = search.view;
  const range = rangeText(from, until);
  if (search.chips.length === 0 && range === null) return null;
  return (
    <ul className="chips" aria-label={t('jobs.terms')}>
      {search.chips.map((chip) => (
        <ChipItem key={chip.start} text={chip.text} onRemove={() => search.remove(chip)} />
      ))}
      {range !== null && (
        <ChipItem text={range} onRemove={() => search.put({ from: null, until: null })} />
      )}
    </ul>
  );
}

function ChipItem({ text, onRemove }: { text: string; onRemove: () => void }) {
  return (
    <li className="chip">
      <bdi>{text}</bdi>
      <button
        type="button"
        className="quiet"
        aria-label={t('jobs.remove', { term: text })}
        onClick={onRemove}
      >
        <Icon name="close" size={12} />
      </button>
    </li>
  );
}

/** The range of the URL, with times as the reader's clocks show them; null if there is none. */
function rangeText(from: string | null, until: string | null): string | null {
  if (from === null && until === null) return null;
  const [start, end] = [from, until].map((moment) => {
    if (moment === null) return '…';
    return Number.isNaN(Date.parse(moment)) ? moment : formatTime(moment, timeStyle, 'minutes');
  });
  return `${start} – ${end}`;
}
