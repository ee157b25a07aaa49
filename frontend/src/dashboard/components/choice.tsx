// One of a few choices, all of which are seen: radio buttons that look like one control.
import { useId } from 'react';

interface Props<V extends string> {
  label: string;
  value: V;
  options: readonly { value: V; label: string }[];
  onChange: (value: V) => void;
  showsLabel?: boolean;
}

export function Choice<V extends string>({
  label,
  value,
  options,
  onChange,
  showsLabel = false,
}: Props<V>) {
  const name = useId();
  return (
    <fieldset className="choice">
      <legend className={showsLabel ? undefined : 'hidden'}>{label}</legend>
      {options.map((option) => (
        <label key={option.value}>
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
