// One job: what it is and why, its runs, its errors, its data, its events, and what can be done.
import { useLocation, useParams } from 'wouter';

import { ActButtons } from '../../components/acts/act-buttons';
import { useActs } from '../../components/acts/use-acts';
import { Page } from '../../components/page';
import { EmptyState, ErrorState, Loading } from '../../components/states';
import { useAfterPaint } from '../../components/use-after-paint';
import { useKey } from '../../components/use-key';
import { base } from '../../data/place';
import { nameText } from '../../json/show';
import { t } from '../../text/text';
import { Attempts } from './attempts';
import { Data, useData } from './data';
import { LastError } from './error';
import { Events } from './events';
import { Facts } from './facts';
import { Family } from './family';
import { Moment } from './moment';
import { Siblings } from './siblings';
import { type CurrentJob, useJob } from './use-job';
import { Verdict } from './verdict';

export default function JobPage() {
  const { id = '' } = useParams<{ id: string }>();
  // All state is that of one job.
  return <Job key={id} id={id} />;
}

function Job({ id }: { id: string }) {
  const current = useJob(id);
  const [, navigate] = useLocation();
  useKey('Escape', () => leave(navigate));
  const { state, job } = current;
  if (job) return <Found current={current} job={job} navigate={navigate} />;
  const isWrong = state.error?.code === 'BAD_USER_INPUT';
  return (
    <Page title={t('job.title')}>
      {state.error && !isWrong && <ErrorState error={state.error} onRetry={state.refetch} />}
      {isWrong && <EmptyState>{t('job.wrongId', { id: id.slice(0, 100) })}</EmptyState>}
      {job === null && <EmptyState>{t('job.notFound', { id })}</EmptyState>}
      {!state.error && job === undefined && <Loading lines={10} />}
    </Page>
  );
}

interface Navigation {
  entries: () => readonly { url: string | null }[];
  currentEntry: { index: number } | null;
}

/** Back to the list as it was, if the reader comes from there. */
function leave(navigate: (path: string) => void): void {
  const { navigation } = window as { navigation?: Navigation };
  const at = navigation?.currentEntry?.index ?? 0;
  const before = navigation?.entries()[at - 1]?.url;
  if (before && new URL(before).pathname === `${base}/jobs`) window.history.back();
  else navigate('/jobs');
}

interface FoundProps {
  current: CurrentJob;
  job: NonNullable<CurrentJob['job']>;
  navigate: (path: string) => void;
}

function Found({ current, job, navigate }: FoundProps) {
  const { state, version, take } = current;
  const acts = useActs({ onChange: take, navigate });
  const { id } = job;
  const data = useData(id, version);
  // A payload may be large: it comes before what stands below it and at the side.
  const pause = !useAfterPaint(data.data !== undefined || data.error !== undefined);
  return (
    <Page title={nameText(job.type)} actions={<ActButtons job={job} acts={acts} />}>
      <Verdict job={job} state={state} />
      <div className="columns">
        <div className="column-main">
          {job.lastErrorCode !== null || hasFailed(job.status) ? <LastError id={id} version={version} /> : null}
          <Attempts id={id} version={version} />
          <Data state={data} />
          <Events id={id} version={version} pause={pause} />
        </div>
        <div className="column-side">
          <Facts job={job} />
          <Family job={job} version={version} />
          <Siblings job={job} pause={pause} />
          <Moment id={id} createdAt={job.createdAt} pause={pause} />
        </div>
      </div>
    </Page>
  );
}

const hasFailed = (status: string): boolean => status === 'FAILED' || status === 'DEAD_LETTER';
