// A bulk act: its extent, its reason, its progress and its end. Nothing is done before it is confirmed.
import { type SubmitEvent, useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';

import { Dialog } from '../../../components/dialog';
import { ErrorState, Loading } from '../../../components/states';
import { timeStyle } from '../../../components/time';
import { ApiError } from '../../../data/client';
import { jobsPath } from '../../../paths';
import { countText, number, t } from '../../../text/text';
import { formatTime } from '../../../time/format';
import { BulkExtent } from './bulk-extent';
import { type BulkAct, type Preview, preview, type Progress, run, type Target } from './run';

interface Props {
  act: BulkAct;
  target: Target;
  words: string;
  onClose: (hasChanged: boolean) => void;
}

/** Above this number, the number itself has to be typed. */
const SURE = 100;

export function BulkDialog({ act, target, words, onClose }: Props) {
  const [found, setFound] = useState<Preview>();
  const [error, setError] = useState<ApiError>();
  const [progress, setProgress] = useState<Progress>();
  const [isRunning, setRunning] = useState(false);
  const isStopped = useRef(false);
  const startedAt = useRef('');

  function look() {
    setError(undefined);
    preview(act, target).then(setFound, (problem: unknown) => setError(asError(problem)));
  }
  // The target is that of the moment at which the dialog was opened.
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  useEffect(look, []);
  // Leaving ends it, too.
  useEffect(() => () => void (isStopped.current = true), []);

  async function start(reason: string) {
    setRunning(true);
    startedAt.current = new Date().toISOString();
    try {
      for await (const each of run(act, target, reason)) {
        setProgress(each);
        if (isStopped.current) break;
      }
    } catch (problem) {
      setError(asError(problem));
    }
    setRunning(false);
  }

  const isOver = progress !== undefined && !isRunning;
  return (
    <Dialog title={t(`bulk.${act}Title`)} onClose={() => onClose(progress !== undefined)}>
      <p>
        <span className="muted">{t('bulk.which')}: </span>
        <strong>{words}</strong>
      </p>
      <p className="muted">{t('bulk.asOf', { time: formatTime(target.asOf, timeStyle) })}</p>
      {error && <ErrorState error={error} onRetry={look} />}
      {!found && !error && <Loading />}
      {found && <BulkExtent found={found} />}
      {found && !progress && !isRunning && (
        <Confirmation act={act} found={found} onConfirm={(reason) => void start(reason)} />
      )}
      {found && (isRunning || progress) && (
        <p role="status">
          {isOver
            ? t('bulk.done', { changed: progress.changed, skipped: progress.skipped })
            : t('bulk.progress', {
                changed: progress?.changed ?? 0,
                total: countText(found.count),
              })}
        </p>
      )}
      {isRunning && (
        <button type="button" onClick={() => (isStopped.current = true)}>
          {t('bulk.stop')}
        </button>
      )}
      {isOver && progress.changed > 0 && act !== 'delete' && (
        <Link href={jobsPath(changedSince(act, startedAt.current))}>{t('bulk.show')}</Link>
      )}
    </Dialog>
  );
}

function changedSince(act: BulkAct, time: string): string {
  return `${act === 'cancel' ? 'status:canceled' : 'status:queued,running'} updated:>=${time}`;
}

function asError(problem: unknown): ApiError {
  return problem instanceof ApiError ? problem : new ApiError('UNREACHABLE', '');
}

interface ConfirmationProps {
  act: BulkAct;
  found: Preview;
  onConfirm: (reason: string) => void;
}

function Confirmation({ act, found: { count, outcome }, onConfirm }: ConfirmationProps) {
  const [typed, setTyped] = useState('');
  const needed = count.value > SURE ? String(count.value) : null;
  const isSure = needed === null || typed.trim() === needed;
  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const reason = new FormData(event.currentTarget).get('reason');
    if (isSure && typeof reason === 'string' && reason.trim()) onConfirm(reason.trim());
  }
  if (outcome.changed === 0) return <p>{t('bulk.nothing')}</p>;
  return (
    <form className="form" onSubmit={submit}>
      <label>
        {t('bulk.reason')}
        <input name="reason" required maxLength={1_000} aria-describedby="bulk-hint" />
      </label>
      <p id="bulk-hint" className="muted">
        {t('bulk.reasonHint')} {act === 'delete' && t('bulk.deleteForEver')}
      </p>
      {needed !== null && (
        <label>
          {t('bulk.type', { number: number(count.value) })}
          <input
            value={typed}
            inputMode="numeric"
            autoComplete="off"
            onChange={(event) => setTyped(event.target.value.replace(/\D/g, ''))}
          />
        </label>
      )}
      <button type="submit" className={act === 'delete' ? 'danger' : 'primary'} disabled={!isSure}>
        {t(`bulk.${act}`)}
      </button>
    </form>
  );
}
