// What can be done with the jobs that are selected. It is shown only while some are.
import { useState } from 'react';

import { Icon } from '../../../components/icon';
import { counted, t } from '../../../text/text';
import type { Selection } from '../use-selection';
import { BulkDialog } from './bulk-dialog';
import type { BulkAct, Target } from './run';

interface Props {
  selection: Selection;
  target: Target;
  /** What is searched for, in the words of the search. */
  words: string;
  canDelete: boolean;
  onDone: () => void;
}

export function BulkBar({ selection, target, words, canDelete, onDone }: Props) {
  const [act, setAct] = useState<BulkAct | null>(null);
  const { ids, isAll, clear } = selection;
  if (ids.size === 0 && !isAll) return null;
  const acts: readonly BulkAct[] = canDelete ? ['retry', 'cancel', 'delete'] : ['retry', 'cancel'];
  return (
    <div className="bulk-bar" role="region" aria-label={t('jobs.select')}>
      <strong aria-live="polite">
        {isAll ? t('bulk.all') : counted('bulk.selected', ids.size)}
      </strong>
      {!isAll && (
        <button type="button" className="quiet" onClick={selection.selectAll}>
          {t('bulk.selectAll')}
        </button>
      )}
      <span className="bulk-acts">
        {acts.map((each) => (
          <button
            key={each}
            type="button"
            className={each === 'delete' ? 'danger' : undefined}
            onClick={() => setAct(each)}
          >
            {t(`bulk.${each}`)}
          </button>
        ))}
        <button type="button" className="quiet" aria-label={t('bulk.clear')} onClick={clear}>
          <Icon name="close" />
        </button>
      </span>
      {act && (
        <BulkDialog
          act={act}
          target={isAll ? target : { ...target, filter: { ids: [...ids] } }}
          words={isAll ? words || t('bulk.everything') : counted('bulk.chosen', ids.size)}
          onClose={(hasChanged) => {
            setAct(null);
            if (!hasChanged) return;
            clear();
            onDone();
          }}
        />
      )}
    </div>
  );
}
