// How current the page is, and the button that pauses it.
import { live, useLiveness } from '../data/live';
import { settings, timeZone } from '../settings/settings';
import { language, t } from '../text/text';
import { Icon } from './icon';
import { useKey } from './use-key';

const clock = new Intl.DateTimeFormat(language, { timeZone, timeStyle: 'short', hourCycle: 'h23' });

export function LiveBadge() {
  const state = useLiveness();
  const isPaused = state === 'paused';
  const toggle = () => live.pause(!isPaused);
  useKey('p', toggle);
  return (
    <>
      <span className={`live live-${state}`} role="status">
        <span className="live-dot" />
        {t(`live.${state}`, { time: clock.format(live.since) })}
      </span>
      <button
        type="button"
        className="quiet"
        aria-label={t(isPaused ? 'live.resume' : 'live.pause')}
        aria-keyshortcuts={settings.hasSingleKeys ? 'p' : undefined}
        onClick={toggle}
      >
        <Icon name={isPaused ? 'play' : 'pause'} />
      </button>
    </>
  );
}
