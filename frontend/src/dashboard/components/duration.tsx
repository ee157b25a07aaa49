// A duration: `1.2 s`, `3 min 4 s`; a dash where there is none.
import { language } from '../text/text';
import { formatDuration } from '../time/durations';

export function Duration({ seconds }: { seconds: number | null | undefined }) {
  if (seconds === null || seconds === undefined) return <span className="muted">–</span>;
  return <span title={`${seconds} s`}>{formatDuration(seconds, language)}</span>;
}
