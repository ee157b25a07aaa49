// What stands around each page: the skip link, the navigation, and how current the page is.
import type { ReactNode } from 'react';
import { Link, useRoute } from 'wouter';

import { leave, needsToken } from '../../shared/session';
import { Wordmark } from '../../shared/wordmark';
import { t } from '../text/text';
import { Icon } from './icon';
import { LiveBadge } from './live-badge';
import { Shortcuts } from './shortcuts';
import { Toasts } from './toasts';

const PAGES = ['jobs', 'errors', 'queues', 'types', 'batches', 'sources', 'activity'] as const;

export function Shell({ children }: { children: ReactNode }) {
  return (
    <>
      <a className="skip" href="#main">
        {t('nav.skip')}
      </a>
      <header className="shell">
        <Link href="/" className="shell-home">
          <Wordmark />
        </Link>
        <nav aria-label={t('nav.label')}>
          <NavLink path="/" name={t('nav.overview')} />
          {PAGES.map((page) => (
            <NavLink key={page} path={`/${page}`} name={t(`nav.${page}`)} />
          ))}
        </nav>
        <div className="shell-end">
          <LiveBadge />
          <Link href="/settings" className="button quiet" aria-label={t('nav.settings')}>
            <Icon name="settings" />
          </Link>
          {needsToken && (
            <button type="button" className="quiet" onClick={() => leave()}>
              {t('signIn.out')}
            </button>
          )}
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <Toasts />
      <Shortcuts />
    </>
  );
}

function NavLink({ path, name }: { path: string; name: string }) {
  const [isHere] = useRoute(path);
  const [isBelow] = useRoute(`${path}/*`);
  const isCurrent = isHere || (isBelow && path !== '/');
  return (
    <Link href={path} aria-current={isHere ? 'page' : isCurrent ? 'true' : undefined}>
      {name}
    </Link>
  );
}
