// How a source is: whether it can be read, and how far behind it is.
import { Duration } from '../../components/duration';
import { Foreign } from '../../components/foreign';
import { Icon } from '../../components/icon';
import { Time } from '../../components/time';
import type { SourceFactsFragment } from '../../generated/graphql';
import { language, t } from '../../text/text';
import { formatBytes } from './bytes';

type Source = SourceFactsFragment;

export function SourceError({ source: { lastError, lagSeconds } }: { source: Source }) {
  if (lastError !== null) {
    return (
      <span className="tag tag-failed">
        <Icon name="failed" size={13} />
        <Foreign text={lastError} />
      </span>
    );
  }
  return (
    <span className="tag tag-succeeded">
      <Icon name="succeeded" size={13} />
      {t(lagSeconds === null ? 'sources.client' : 'sources.ok')}
    </span>
  );
}

export function Lag({ source: { lagSeconds } }: { source: Source }) {
  return <Duration seconds={lagSeconds} />;
}

export function LastSeen({ source: { lastSeenAt } }: { source: Source }) {
  return lastSeenAt === null ? <>{t('sources.never')}</> : <Time time={lastSeenAt} />;
}

export function Backlog({ source: { backlogBytes } }: { source: Source }) {
  return <>{backlogBytes === null ? '–' : formatBytes(backlogBytes, language)}</>;
}
