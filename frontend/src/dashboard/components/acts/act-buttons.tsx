// The acts on one job: each a button, disabled with its reason where the state forbids it.
import { lazy, Suspense, useId, useState } from 'react';

import { useViewer } from '../../data/viewer';
import { settings } from '../../settings/settings';
import { t } from '../../text/text';
import { Icon, type IconName } from '../icon';
import { useKey } from '../use-key';
import { CancelDialog } from './cancel-dialog';
import { type Act, ACTS, refusalOf } from './refusals';
import { RescheduleDialog } from './reschedule-dialog';
import type { ActJob, Acts } from './use-acts';

const RerunDialog = lazy(() => import('./rerun-dialog'));

const ICONS: Record<Act, IconName> = {
  retry: 'retry',
  cancel: 'canceled',
  reschedule: 'queued',
  rerun: 'copy',
};
const KEYS: Partial<Record<Act, string>> = { retry: 'r', cancel: 'c' };

/** The buttons, for viewers who may act; the others see what their role is. */
export function ActButtons({ job, acts }: { job: ActJob; acts: Acts }) {
  const viewer = useViewer();
  const [asking, setAsking] = useState<Act | null>(null);
  const isPossible = (act: Act) => viewer?.mayAct === true && refusalOf(act, job) === null;
  const begin = (act: Act) => {
    if (!isPossible(act)) return;
    if (act === 'retry') void acts.retry(job);
    else setAsking(act);
  };
  useKey('r', () => begin('retry'));
  useKey('c', () => begin('cancel'));
  if (viewer === undefined) return null;
  if (!viewer.mayAct) return <ReadOnlyBadge />;
  return (
    <>
      <div className="acts" role="group" aria-label={t('acts.label')}>
        {ACTS.map((act) => (
          <ActButton key={act} act={act} job={job} onClick={() => begin(act)} />
        ))}
      </div>
      <Questions asking={asking} job={job} acts={acts} onClose={() => setAsking(null)} />
    </>
  );
}

interface QuestionsProps {
  asking: Act | null;
  job: ActJob;
  acts: Acts;
  onClose: () => void;
}

/** The dialog of an act that has one. */
export function Questions({ asking, ...given }: QuestionsProps) {
  switch (asking) {
    case 'cancel':
      return <CancelDialog {...given} />;
    case 'reschedule':
      return <RescheduleDialog {...given} />;
    case 'rerun':
      return (
        <Suspense fallback={null}>
          <RerunDialog {...given} />
        </Suspense>
      );
    default:
      return null;
  }
}

/** That the viewer may only read, and why. */
export function ReadOnlyBadge() {
  const viewer = useViewer();
  if (viewer === undefined || viewer.mayAct) return null;
  const title = t('acts.readOnlyRole', { role: t(`role.${viewer.role}`) });
  return (
    <span className="role-badge" title={title}>
      {t('acts.readOnlyBadge', { role: t(`role.${viewer.role}`) })}
    </span>
  );
}

interface ButtonProps {
  act: Act;
  job: ActJob;
  onClick: () => void;
}

function ActButton({ act, job, onClick }: ButtonProps) {
  const reasonId = useId();
  const refusal = refusalOf(act, job);
  const reason =
    refusal === 'source'
      ? t('acts.refusal.source', { source: job.source?.name ?? '' })
      : refusal && t(`acts.refusal.${refusal}`);
  // Not `disabled`: the reason has to be found by the keyboard, too.
  return (
    <span className="act">
      <button
        type="button"
        className={act === 'cancel' && refusal === null ? 'danger' : undefined}
        aria-disabled={refusal !== null}
        aria-describedby={reason === null ? undefined : reasonId}
        aria-keyshortcuts={settings.hasSingleKeys ? KEYS[act] : undefined}
        title={reason ?? undefined}
        onClick={onClick}
      >
        <Icon name={ICONS[act]} />
        {t(`acts.${act}`)}
      </button>
      {reason !== null && (
        <span id={reasonId} className="act-reason" role="note">
          {reason}
        </span>
      )}
    </span>
  );
}
