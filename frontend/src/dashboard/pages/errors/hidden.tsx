// Why a reader cannot see groups of errors, and what they can see instead.
import { Link } from 'wouter';

import { Icon } from '../../components/icon';
import { jobsPath } from '../../paths';
import { t } from '../../text/text';

export function Hidden() {
  return (
    <section className="panel guide">
      <h2>
        <Icon name="warning" /> {t('errors.hidden')}
      </h2>
      <p>{t('errors.hiddenWhy')}</p>
      <p>
        <Link href={jobsPath('status:failed,dead')} className="button">
          {t('errors.hiddenJobs')}
        </Link>
      </p>
    </section>
  );
}
