// The payload and the result of the job.
import { JsonTree } from '../../components/json-tree';
import { Panel } from '../../components/panel';
import { type QueryState, useQuery } from '../../data/use-query';
import { JobDataDocument, type JobDataQuery } from '../../generated/graphql';
import { payloadTerm, searchOf } from '../../language/make';
import type { ExactValue } from '../../json/value';
import { jobsPath } from '../../paths';
import { t } from '../../text/text';

type State = QueryState<JobDataQuery>;

export function useData(id: string, version: number): State {
  return useQuery(JobDataDocument, { id }, { renewed: version });
}

export function Data({ state }: { state: State }) {
  return (
    <>
      <Payload state={state} />
      {!isNone(state.data?.job?.result) && <Result state={state} />}
    </>
  );
}

function Payload({ state }: { state: State }) {
  return (
    <Panel
      title={t('job.payload')}
      state={state}
      empty={(data) => (isNone(data.job?.payload) ? t('job.noPayload') : null)}
    >
      {(data) => (
        <JsonTree
          value={data.job?.payload as ExactValue}
          label={t('job.payload')}
          jobsWith={(path, value) => jobsPath(searchOf(payloadTerm(path, value)))}
        />
      )}
    </Panel>
  );
}

function Result({ state }: { state: State }) {
  return (
    <Panel title={t('job.result')} state={state}>
      {(data) => <JsonTree value={data.job?.result as ExactValue} label={t('job.result')} />}
    </Panel>
  );
}

const isNone = (value: unknown): boolean => value === null || value === undefined;
