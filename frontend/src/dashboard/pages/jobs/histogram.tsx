// When the jobs that match were created: a range of time to choose, by dragging or by two fields.
import { type SubmitEvent, useMemo } from 'react';

import { Panel } from '../../components/panel';
import { TimeChart } from '../../components/time-chart';
import { serverNow } from '../../components/time';
import { useQuery } from '../../data/use-query';
import { type JobFilter, JobsHistogramDocument } from '../../generated/graphql';
import { timeZone } from '../../settings/settings';
import { t } from '../../text/text';
import { bucketLength, bucketSizeFor } from '../../time/buckets';
import { localInputText } from '../../time/format';
import { instantOfInput } from '../../time/local-input';
import type { Search } from './use-search';

const DAY_MS = 86_400_000;

interface Props {
  search: Search;
  filter: JobFilter;
  /** Do not ask yet. */
  pause: boolean;
}

export function Histogram({ search, filter, pause }: Props) {
  const { from, until } = useRange(filter);
  const bucket = bucketSizeFor(Date.parse(from), Date.parse(until), 90);
  const state = useQuery(JobsHistogramDocument, { filter, from, until, bucket }, { pause });
  const choose = (start: number, end: number) =>
    search.put({ from: new Date(start).toISOString(), until: new Date(end).toISOString(), at: null });
  return (
    <Panel title={t('jobs.histogram')} state={state} lines={3}>
      {({ timeline }) => (
        <>
          <TimeChart
            edges={[
              ...timeline.map(({ start }) => Date.parse(start)),
              Date.parse(timeline.at(-1)?.start ?? until) + bucketLength(bucket),
            ]}
            series={[
              {
                name: 'created',
                label: t('series.created'),
                values: timeline.map(({ created }) => created),
              },
            ]}
            label={t('jobs.histogram')}
            height={84}
            onSelect={choose}
          />
          <Fields key={`${from}${until}`} from={from} until={until} onChoose={choose} />
        </>
      )}
    </Panel>
  );
}

/** The time that is searched for; if none is, the last day, by whole minutes. */
function useRange(filter: JobFilter): { from: string; until: string } {
  const { gte, lt } = filter.createdAt ?? {};
  return useMemo(() => {
    const now = Math.ceil(serverNow() / 60_000) * 60_000;
    const end = lt ?? new Date(now).toISOString();
    const start = gte ?? new Date(Date.parse(end) - DAY_MS).toISOString();
    return { from: start, until: end };
  }, [gte, lt]);
}

interface FieldsProps {
  from: string;
  until: string;
  onChoose: (from: number, until: number) => void;
}

function Fields({ from, until, onChoose }: FieldsProps) {
  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const start = instantOfInput(String(data.get('from')), timeZone);
    const end = instantOfInput(String(data.get('until')), timeZone);
    if (start !== null && end !== null && start < end) onChoose(start, end);
  }
  return (
    <form className="range-fields" onSubmit={submit}>
      <label>
        {t('jobs.from')}
        <input
          type="datetime-local"
          name="from"
          step="1"
          defaultValue={localInputText(Date.parse(from), timeZone)}
        />
      </label>
      <label>
        {t('jobs.until')}
        <input
          type="datetime-local"
          name="until"
          step="1"
          defaultValue={localInputText(Date.parse(until), timeZone)}
        />
      </label>
      <button type="submit">{t('jobs.apply')}</button>
      <span className="muted">{t('jobs.histogramHint')}</span>
    </form>
  );
}
