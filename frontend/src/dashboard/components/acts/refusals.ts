/** Which acts the state of a job allows. */

export type Act = 'retry' | 'cancel' | 'reschedule' | 'rerun';

/** Why an act is not possible. */
export type Refusal = 'source' | 'ended' | 'notStarted' | 'running' | 'succeeded' | 'notQueued' | 'other';

export interface Subject {
  status: 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELED' | 'DEAD_LETTER';
  allowedTransitions: readonly string[];
  source?: object | null | undefined;
}

export const ACTS: readonly Act[] = ['retry', 'cancel', 'reschedule', 'rerun'];

/** Why the job cannot be changed so; null if it can. */
export function refusalOf(act: Act, job: Subject): Refusal | null {
  if (job.source) return 'source';
  switch (act) {
    case 'retry':
      return retryRefusal(job);
    case 'cancel':
      if (job.allowedTransitions.includes('CANCELED')) return null;
      return job.status === 'QUEUED' || job.status === 'RUNNING' ? 'other' : 'ended';
    case 'reschedule':
      return job.status === 'QUEUED' ? null : 'notQueued';
    case 'rerun':
      return null;
  }
}

function retryRefusal({ status, allowedTransitions }: Subject): Refusal | null {
  // A running job may go back to the queue, too, but by its worker.
  if (status === 'QUEUED') return 'notStarted';
  if (status === 'RUNNING') return 'running';
  if (status === 'SUCCEEDED') return 'succeeded';
  return allowedTransitions.includes('QUEUED') ? null : 'other';
}
