// What all pages begin with: their heading, which is also the title of the tab.
import { type ReactNode, useEffect } from 'react';
import { Link } from 'wouter';

import { Icon } from './icon';

interface Props {
  title: string;
  /** What stands with the heading: a choice of time, an act. */
  actions?: ReactNode;
  /** The page that this one is a part of. */
  above?: { path: string; name: string };
  children: ReactNode;
}

export function Page({ title, actions, above, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Joblens`;
  }, [title]);
  return (
    <>
      <header className="page-head">
        <div className="page-title">
          {above && (
            <Link href={above.path} className="above">
              <Icon name="left" size={12} />
              {above.name}
            </Link>
          )}
          <h1 tabIndex={-1} dir="auto">
            {title}
          </h1>
        </div>
        {actions && <div className="page-actions">{actions}</div>}
      </header>
      {children}
    </>
  );
}
