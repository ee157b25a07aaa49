// Says how many new rows wait, and lets the reader take them: by the button or the key `.`.
import { settings } from '../settings/settings';
import { useKey } from './use-key';

interface Props {
  count: number;
  /** What it says, such as `12 new`. */
  text: string;
  onTake: () => void;
}

export function ArrivalsBar({ count, text, onTake }: Props) {
  useKey('.', onTake);
  return (
    <div className="arrivals-bar" role="status">
      {count > 0 && (
        <button
          type="button"
          className="arrivals-button"
          aria-keyshortcuts={settings.hasSingleKeys ? '.' : undefined}
          onClick={onTake}
        >
          {text}
          {settings.hasSingleKeys && <kbd>.</kbd>}
        </button>
      )}
    </div>
  );
}
