// Creates a job like another one, with its payload as it is or edited as text.
import { type FormEvent, useId, useState } from 'react';

import { useQuery } from '../../data/use-query';
import { PayloadToRerunDocument } from '../../generated/graphql';
import type { ExactValue } from '../../json/value';
import { writeExact } from '../../json/write';
import { t } from '../../text/text';
import { Dialog } from '../dialog';
import { PanelBody } from '../panel';
import { type Edited, readPayload } from './payload-text';
import type { ActJob, Acts } from './use-acts';

interface Props {
  job: ActJob;
  acts: Acts;
  onClose: () => void;
}

export default function RerunDialog({ job, acts, onClose }: Props) {
  const state = useQuery(PayloadToRerunDocument, { id: job.id });
  const formId = useId();
  const [fault, setFault] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (payload: ExactValue, queue: string, priority: number) => {
    setBusy(true);
    const variables = { id: job.id, payload, queue, priority };
    const problem = await acts.rerun(variables);
    setBusy(false);
    setFault(problem);
    if (problem === null) onClose();
  };
  return (
    <Dialog
      title={t('acts.rerunTitle')}
      isWide
      onClose={onClose}
      actions={
        <>
          <button type="button" onClick={onClose}>
            {t('acts.back')}
          </button>
          <button type="submit" form={formId} className="primary" disabled={isBusy || !state.data}>
            {t('acts.rerunSubmit')}
          </button>
        </>
      }
    >
      <p>{t('acts.rerunHint')}</p>
      <PanelBody state={state} lines={6}>
        {(data) => (
          <Editor
            formId={formId}
            job={job}
            payload={(data.job?.payload ?? null) as ExactValue}
            onSubmit={(...given) => void submit(...given)}
          />
        )}
      </PanelBody>
      <p role="alert" className="form-fault">
        {fault}
      </p>
    </Dialog>
  );
}

interface EditorProps {
  formId: string;
  job: ActJob;
  payload: ExactValue;
  /** `payload` null: as it is. */
  onSubmit: (payload: ExactValue, queue: string, priority: number) => void;
}

function Editor({ formId, job, payload, onSubmit }: EditorProps) {
  const [original] = useState(() => (payload === null ? '' : writeExact(payload, 2)));
  const [text, setText] = useState(original);
  const [queue, setQueue] = useState(job.queue);
  const [priority, setPriority] = useState(String(job.priority));
  const faultId = useId();
  const isEdited = text.trim() !== original;
  const edited: Edited | null = isEdited && text.trim() !== '' ? readPayload(text) : null;
  const fault = edited === null ? null : faultText(edited);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (fault === null) onSubmit(edited?.kind === 'value' ? edited.value : null, queue, Number(priority));
  };
  return (
    <form id={formId} className="form form-wide" onSubmit={submit}>
      <label>
        {t('job.payload')}
        <textarea
          className="mono"
          rows={14}
          spellCheck={false}
          dir="ltr"
          value={text}
          aria-invalid={fault !== null}
          aria-describedby={faultId}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      <p id={faultId} className="form-fault" role="status">
        {fault ?? (isEdited ? '' : t('acts.payloadSame'))}
      </p>
      <div className="form-row">
        <label>
          {t('column.queue')}
          <input required value={queue} onChange={(event) => setQueue(event.target.value)} />
        </label>
        <label>
          {t('acts.priority')}
          <input
            type="number"
            required
            step={1}
            value={priority}
            onChange={(event) => setPriority(event.target.value)}
          />
        </label>
      </div>
    </form>
  );
}

function faultText(edited: Edited): string | null {
  switch (edited.kind) {
    case 'value':
      return null;
    case 'fault':
      return t('acts.payloadFault', { line: edited.line, column: edited.column });
    case 'redacted':
      return t('acts.payloadRedacted');
    case 'rounded':
      return t('acts.payloadRounded');
  }
}
