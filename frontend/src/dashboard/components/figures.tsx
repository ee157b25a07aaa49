// A few figures of one thing, each with its name.
import type { ReactNode } from 'react';

export interface Figure {
  name: string;
  value: ReactNode;
  /** Says more about the value. */
  note?: ReactNode;
}

export function Figures({ figures }: { figures: readonly Figure[] }) {
  return (
    <dl className="figures">
      {figures.map(({ name, value, note }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <span className="figure">{value}</span>
            {note && <span className="muted">{note}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
