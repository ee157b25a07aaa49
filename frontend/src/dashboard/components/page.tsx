// What all pages begin with: their heading, which is also the title of the tab.
import { type ReactNode, useEffect } from 'react';

interface Props {
  title: string;
  /** What stands with the heading: a choice of time, an act. */
  actions?: ReactNode;
  children: ReactNode;
}

export function Page({ title, actions, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Joblens`;
  }, [title]);
  return (
    <>
      <header className="page-head">
        <h1 tabIndex={-1}>{title}</h1>
        {actions && <div className="page-actions">{actions}</div>}
      </header>
      {children}
    </>
  );
}
