// The shares of statuses among jobs: one bar, whose parts are as long as the counts.
import type { JobStatus } from '../generated/graphql';
import { type Count, countText, t } from '../text/text';

export interface Share {
  status: JobStatus;
  count: Count;
}

const ORDER: readonly JobStatus[] = [
  'SUCCEEDED',
  'RUNNING',
  'QUEUED',
  'CANCELED',
  'FAILED',
  'DEAD_LETTER',
];
const WIDTH = 1_000;
/** The least width of a part, so that a single failure among thousands is seen. */
const LEAST = 18;

export function StatusBar({ counts }: { counts: readonly Share[] }) {
  const parts = shares(counts);
  let x = 0;
  return (
    <svg
      className="status-bar"
      viewBox={`0 0 ${WIDTH} 8`}
      preserveAspectRatio="none"
      role="img"
      aria-label={inWords(counts)}
    >
      <title>{inWords(counts)}</title>
      {parts.map(({ status, width }) => {
        const at = x;
        x += width;
        const name = `share-${status.toLowerCase()}`;
        return <rect key={status} className={name} x={at} width={Math.max(0, width - 4)} height="8" />;
      })}
    </svg>
  );
}

function shares(counts: readonly Share[]): { status: JobStatus; width: number }[] {
  const present = ORDER.flatMap((status) => {
    const value = counts.find((each) => each.status === status)?.count.value ?? 0;
    return value > 0 ? [{ status, value }] : [];
  });
  const sum = present.reduce((total, { value }) => total + value, 0);
  const wide = present.map(({ status, value }) => ({
    status,
    width: Math.max(LEAST, (value / sum) * WIDTH),
  }));
  const all = wide.reduce((total, { width }) => total + width, 0);
  return wide.map(({ status, width }) => ({ status, width: (width / all) * WIDTH }));
}

function inWords(counts: readonly Share[]): string {
  const parts = ORDER.flatMap((status) => {
    const found = counts.find((each) => each.status === status && each.count.value > 0);
    return found ? [`${t(`status.${status}`)}: ${countText(found.count)}`] : [];
  });
  return parts.length === 0 ? t('panel.empty') : parts.join(', ');
}
