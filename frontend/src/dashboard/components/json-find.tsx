// Finds text in the names and values of a JSON tree.
import { type KeyboardEvent, useDeferredValue, useEffect, useMemo, useState } from 'react';

import { find } from '../json/find';
import type { Pointer } from '../json/tree';
import type { ExactValue } from '../json/value';
import { number, t } from '../text/text';
import { Icon } from './icon';

interface Props {
  value: ExactValue;
  label: string;
  onFound: (pointers: ReadonlySet<Pointer>) => void;
  onShow: (pointer: Pointer) => void;
}

export function JsonFind({ value, label, onFound, onShow }: Props) {
  const [text, setText] = useState('');
  const [turn, setTurn] = useState(0);
  const wanted = useDeferredValue(text);
  const { pointers, isComplete } = useMemo(() => find(value, wanted), [value, wanted]);
  const count = pointers.length;

  useEffect(() => {
    onFound(new Set(pointers));
    setTurn(0);
    if (pointers[0] !== undefined) onShow(pointers[0]);
    // The callbacks change nothing but what is shown.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [pointers]);

  function go(by: number) {
    if (count === 0) return;
    const next = (turn + by + count) % count;
    setTurn(next);
    onShow(pointers[next] ?? '');
  }
  function onKeyDown(event: KeyboardEvent) {
    if (event.key === 'Enter') {
      event.preventDefault();
      go(event.shiftKey ? -1 : 1);
    } else if (event.key === 'Escape' && text !== '') {
      event.stopPropagation();
      setText('');
    }
  }
  return (
    <div className="json-find" role="search" aria-label={t('json.findIn', { name: label })}>
      <input
        type="search"
        aria-label={t('json.findIn', { name: label })}
        placeholder={t('json.find')}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      {wanted !== '' && (
        <>
          <span className="muted" role="status">
            {count === 0
              ? t('json.foundNone')
              : t('json.found', { at: number(turn + 1), count: `${number(count)}${isComplete ? '' : '+'}` })}
          </span>
          <button type="button" className="quiet" aria-label={t('json.previous')} onClick={() => go(-1)}>
            <Icon name="left" />
          </button>
          <button type="button" className="quiet" aria-label={t('json.next')} onClick={() => go(1)}>
            <Icon name="right" />
          </button>
        </>
      )}
    </div>
  );
}
