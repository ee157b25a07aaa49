// One box to search with: a text, completed as it is typed; its conditions are chips below it.
import { type SubmitEvent, useEffect, useId, useRef, useState } from 'react';

import { Icon } from '../../components/icon';
import { useKey } from '../../components/use-key';
import { FAULTS_DE, FAULTS_EN, faultText } from '../../language/faults';
import { language, t } from '../../text/text';
import { Suggestions, useSuggestions } from './suggestions';
import type { Search } from './use-search';

export function SearchBar({ search }: { search: Search }) {
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(search.text);
  const [caret, setCaret] = useState(0);
  const listId = useId();
  useEffect(() => setTyped(search.text), [search.text]);
  useKey('/', () => input.current?.focus());
  const suggestions = useSuggestions(typed, caret, (next, at) => {
    setTyped(next);
    setCaret(at);
    requestAnimationFrame(() => input.current?.setSelectionRange(at, at));
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
  if (search.chips.length === 0) return null;
  return (
    <ul className="chips" aria-label={t('jobs.terms')}>
      {search.chips.map((chip) => (
        <li key={chip.start} className="chip">
          <bdi>{chip.text}</bdi>
          <button
            type="button"
            className="quiet"
            aria-label={t('jobs.remove', { term: chip.text })}
            onClick={() => search.remove(chip)}
          >
            <Icon name="close" size={12} />
          </button>
        </li>
      ))}
    </ul>
  );
}
