// A status or a verdict: by its shape, its word and its colour.
import type { HealthVerdict, JobStatus } from '../generated/graphql';
import { t } from '../text/text';
import { Icon, type IconName } from './icon';

export function StatusTag({ status }: { status: JobStatus }) {
  const name = status.toLowerCase();
  return (
    <span className={`tag tag-${name}`}>
      <Icon name={name as IconName} size={13} />
      {t(`status.${status}`)}
    </span>
  );
}

/** Shows nothing for a job about which nothing is to be said. */
export function HealthTag({ verdict }: { verdict: HealthVerdict }) {
  if (verdict === 'OK' || verdict === 'UNKNOWN') return null;
  return (
    <span className="tag tag-warning">
      <Icon name="warning" size={13} />
      {t(`health.${verdict}`)}
    </span>
  );
}
