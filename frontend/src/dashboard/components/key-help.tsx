// All keys, and what they do.
import type { Key } from '../text/text';
import { t } from '../text/text';
import { Dialog } from './dialog';

const KEYS: readonly (readonly [keys: string, does: Key])[] = [
  ['/', 'keys.search'],
  ['j  k', 'keys.rows'],
  ['x', 'keys.select'],
  ['Shift x', 'keys.selectRange'],
  ['Enter', 'keys.open'],
  ['r', 'keys.retry'],
  ['c', 'keys.cancel'],
  ['.', 'keys.takeNew'],
  ['p', 'keys.pause'],
  ['g o', 'nav.overview'],
  ['g j', 'nav.jobs'],
  ['g e', 'nav.errors'],
  ['g q', 'nav.queues'],
  ['g t', 'nav.types'],
  ['g b', 'nav.batches'],
  ['g s', 'nav.sources'],
  ['g a', 'nav.activity'],
  ['Ctrl k', 'keys.palette'],
  ['?', 'keys.help'],
  ['Esc', 'keys.back'],
];

export default function KeyHelp({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t('keys.title')} onClose={onClose}>
      <dl className="facts keys">
        {KEYS.map(([keys, does]) => (
          <div key={keys}>
            <dt>
              {keys.split(/\s+/).map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(does)}</dd>
          </div>
        ))}
      </dl>
      <p className="muted">{t('keys.off')}</p>
    </Dialog>
  );
}
