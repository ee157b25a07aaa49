// Narrows the stream: by what the jobs became, by their type, and by who did it.
import { StatusTag } from '../../components/status-tag';
import { TextFilter } from '../../components/text-filter';
import type { JobStatus } from '../../generated/graphql';
import { t } from '../../text/text';
import { type ActivityFilter, STATUSES } from './use-filter';

export function Filters({ filter: { statuses, type, by, set } }: { filter: ActivityFilter }) {
  const toggle = (status: JobStatus) => {
    const chosen = STATUSES.filter((each) => (each === status) !== statuses.includes(each));
    set({ status: chosen.join(',').toLowerCase() });
  };
  return (
    <div className="filters">
      <fieldset className="choice toggles">
        <legend className="hidden">{t('activity.status')}</legend>
        {STATUSES.map((status) => (
          <label key={status}>
            <input type="checkbox" checked={statuses.includes(status)} onChange={() => toggle(status)} />
            <span>
              <StatusTag status={status} />
            </span>
          </label>
        ))}
      </fieldset>
      <TextFilter
        label={t('activity.type')}
        value={type}
        field="TYPE"
        onChange={(value) => set({ type: value })}
      />
      <TextFilter label={t('activity.by')} value={by} onChange={(value) => set({ by: value })} />
    </div>
  );
}
