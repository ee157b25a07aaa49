// Asks for the reason of a cancellation, which may be empty.
import { type FormEvent, useId, useState } from 'react';

import { t } from '../../text/text';
import { Dialog } from '../dialog';
import type { ActJob, Acts } from './use-acts';

interface Props {
  job: ActJob;
  acts: Acts;
  onClose: () => void;
}

export function CancelDialog({ job, acts, onClose }: Props) {
  const [reason, setReason] = useState('');
  const formId = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void acts.cancel(job, reason.trim() || null);
    onClose();
  };
  return (
    <Dialog
      title={t('acts.cancelTitle')}
      onClose={onClose}
      actions={
        <>
          <button type="button" onClick={onClose}>
            {t('acts.back')}
          </button>
          <button type="submit" form={formId} className="danger">
            {t('acts.cancel')}
          </button>
        </>
      }
    >
      <form id={formId} className="form" onSubmit={submit}>
        {job.status === 'RUNNING' && <p>{t('acts.cancelRunning')}</p>}
        <label>
          {t('acts.reason')}
          <input
            data-autofocus
            maxLength={500}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </label>
      </form>
    </Dialog>
  );
}
