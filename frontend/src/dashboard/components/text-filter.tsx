// Narrows a list by a text: applied when it was not changed for a moment, with values to choose from.
import { useEffect, useId, useState } from 'react';

import { useQuery } from '../data/use-query';
import { type JobDimension, SuggestValuesDocument } from '../generated/graphql';

const QUIET_MS = 300;

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** The field whose values are offered. */
  field?: JobDimension;
}

export function TextFilter({ label, value, onChange, field }: Props) {
  const [typed, setTyped] = useState(value);
  const [isUsed, setUsed] = useState(false);
  const listId = useId();
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return;
    const timer = window.setTimeout(() => onChange(typed.trim()), QUIET_MS);
    return () => window.clearTimeout(timer);
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [typed]);
  return (
    <label className="text-filter">
      <span>{label}</span>
      <input
        type="search"
        value={typed}
        autoComplete="off"
        spellCheck={false}
        list={field && listId}
        onFocus={() => setUsed(true)}
        onChange={(event) => setTyped(event.target.value)}
      />
      {field && <Suggestions id={listId} field={field} prefix={value} pause={!isUsed} />}
    </label>
  );
}

interface SuggestionsProps {
  id: string;
  field: JobDimension;
  prefix: string;
  pause: boolean;
}

function Suggestions({ id, field, prefix, pause }: SuggestionsProps) {
  const { data } = useQuery(SuggestValuesDocument, { field, prefix: prefix.replace(/\*$/, '') }, { pause });
  return (
    <datalist id={id}>
      {data?.suggest.map(({ value }) => (
        <option key={value} value={value} />
      ))}
    </datalist>
  );
}
