// A time of the job's history: of a job of a source it may be the nearest that is known.
import { Time } from '../../components/time';
import { t } from '../../text/text';

interface Props {
  time: string;
  parts: 'short' | 'milliseconds';
  isExact: boolean;
}

export function EventTime({ time, parts, isExact }: Props) {
  return (
    <>
      {!isExact && (
        <abbr title={t('job.notExact')} aria-label={t('job.notExact')}>
          ≈{' '}
        </abbr>
      )}
      <Time time={time} parts={parts} />
    </>
  );
}
