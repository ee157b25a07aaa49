// Chooses the time that a page is of, and pins it for a link that shows the same later.
import { timeZone } from '../settings/settings';
import { language, t } from '../text/text';
import { offsetText } from '../time/zones';
import { Choice } from './choice';
import { Icon } from './icon';
import { RANGES, type RangeName, type TimeRange } from './use-time-range';

const format = new Intl.DateTimeFormat(language, {
  timeZone,
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});

export function RangeChoice({ range }: { range: TimeRange }) {
  return (
    <>
      {range.name === null && <Pinned range={range} />}
      <Choice
        label={t('range.label')}
        value={(range.name ?? '') as RangeName}
        options={RANGES.map((name) => ({ value: name, label: t(`range.${name}`) }))}
        onChange={range.choose}
      />
      {range.name !== null && (
        <button
          type="button"
          className="quiet"
          aria-label={t('range.pin')}
          title={t('range.pin')}
          onClick={() => range.pin()}
        >
          <Icon name="pin" />
        </button>
      )}
    </>
  );
}

function Pinned({ range }: { range: TimeRange }) {
  const [from, until] = [Date.parse(range.from), Date.parse(range.until)];
  return (
    <span className="chip pinned">
      <Icon name="pin" size={13} />
      {format.formatRange(from, until)} {offsetText(from, timeZone)}
    </span>
  );
}
