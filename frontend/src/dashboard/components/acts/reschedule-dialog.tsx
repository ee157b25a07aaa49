// Asks when a queued job is to be due, and how urgent it is.
import { type FormEvent, useId, useState } from 'react';

import { timeZone } from '../../settings/settings';
import { t } from '../../text/text';
import { localInputText } from '../../time/format';
import { instantOfInput } from '../../time/local-input';
import { Choice } from '../choice';
import { Dialog } from '../dialog';
import { serverNow } from '../time';
import type { ActJob, Acts, Schedule } from './use-acts';

const HOUR_MS = 3_600_000;

interface Props {
  job: ActJob;
  acts: Acts;
  onClose: () => void;
}

type When = 'now' | 'at' | 'same';

export function RescheduleDialog({ job, acts, onClose }: Props) {
  const [when, setWhen] = useState<When>('now');
  const [time, setTime] = useState(() => localInputText(serverNow() + HOUR_MS, timeZone).slice(0, 16));
  const [priority, setPriority] = useState(String(job.priority));
  const formId = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void acts.reschedule(job, scheduleOf(when, time, Number(priority), job));
    onClose();
  };
  return (
    <Dialog
      title={t('acts.rescheduleTitle')}
      onClose={onClose}
      actions={
        <>
          <button type="button" onClick={onClose}>
            {t('acts.back')}
          </button>
          <button type="submit" form={formId} className="primary">
            {t('acts.reschedule')}
          </button>
        </>
      }
    >
      <form id={formId} className="form" onSubmit={submit}>
        <Choice
          label={t('acts.when')}
          value={when}
          options={(['now', 'at', 'same'] as const).map((value) => ({
            value,
            label: t(`acts.when.${value}`),
          }))}
          onChange={setWhen}
        />
        {when === 'at' && (
          <label>
            {t('acts.time', { zone: timeZone })}
            <input
              type="datetime-local"
              required
              value={time}
              onChange={(event) => setTime(event.target.value)}
            />
          </label>
        )}
        <label>
          {t('acts.priority')}
          <input
            type="number"
            required
            step={1}
            min={-2147483648}
            max={2147483647}
            value={priority}
            onChange={(event) => setPriority(event.target.value)}
          />
        </label>
      </form>
    </Dialog>
  );
}

function scheduleOf(when: When, time: string, priority: number, job: ActJob): Schedule {
  const changed = priority === job.priority && when !== 'same' ? {} : { priority };
  if (when === 'same') return changed;
  if (when === 'now') return { at: null, ...changed };
  const instant = instantOfInput(time, timeZone) ?? serverNow();
  return { at: new Date(instant).toISOString(), ...changed };
}
