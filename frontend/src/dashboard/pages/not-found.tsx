// The page for paths that are of no other.
import { EmptyState } from '../components/states';
import { Page } from '../components/page';
import { t } from '../text/text';

export function NotFound() {
  return (
    <Page title={t('nav.notFound')}>
      <EmptyState>{t('nav.notFoundHint')}</EmptyState>
    </Page>
  );
}
