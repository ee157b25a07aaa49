// How far a bulk act would go: how many jobs, which not and why, and some of them.
import { Foreign } from '../../../components/foreign';
import { StatusTag } from '../../../components/status-tag';
import { Time } from '../../../components/time';
import { countText, number, t } from '../../../text/text';
import type { Preview } from './run';

export function BulkExtent({ found: { count, outcome } }: { found: Preview }) {
  const { matched, changed, skips, samples } = outcome;
  // Of more than a thousand, only the newest thousand were looked at.
  const isPart = !matched.isExact;
  return (
    <>
      <dl className="facts">
        <dt>{t('bulk.matching')}</dt>
        <dd>{countText(count)}</dd>
        <dt>{t('bulk.changing')}</dt>
        <dd>{isPart ? t('count.atLeast', { count: changed }) : number(changed)}</dd>
        {skips.length > 0 && (
          <>
            <dt>{t('bulk.skipped')}</dt>
            <dd>
              <ul>
                {skips.map(({ reason, status, count: skipped }) => (
                  <li key={`${reason}${status}`}>
                    {number(skipped)} <StatusTag status={status} /> {t(`skip.${reason}`)}
                  </li>
                ))}
              </ul>
            </dd>
          </>
        )}
      </dl>
      {samples.length > 0 && (
        <>
          <h3>{t('bulk.samples')}</h3>
          <ul>
            {samples.map(({ id, type, status, createdAt }) => (
              <li key={id} className="sample">
                <StatusTag status={status} /> <Foreign text={type} /> <Time time={createdAt} />
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
