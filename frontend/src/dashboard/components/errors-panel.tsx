// Some groups of errors in a panel; or why the reader cannot see them.
import type { QueryState } from '../data/use-query';
import type { ErrorGroupRowFragment } from '../generated/graphql';
import { t } from '../text/text';
import { ErrorsTable } from './errors-table';
import { Panel } from './panel';
import { EmptyState } from './states';

interface Props {
  title: string;
  state: QueryState<{ errorGroups: { nodes: readonly ErrorGroupRowFragment[] } }>;
  /** What to say if there are none. */
  none: string;
  /** Groups that were first seen since this time are new. */
  since: string;
}

export function ErrorsPanel({ title, state, none, since }: Props) {
  if (state.error?.code === 'FORBIDDEN') {
    return (
      <section className="panel">
        <h2>{title}</h2>
        <EmptyState>{t('errors.hidden')}.</EmptyState>
      </section>
    );
  }
  return (
    <Panel
      title={title}
      state={state}
      empty={(data) => (data.errorGroups.nodes.length === 0 ? none : null)}
    >
      {(data) => <ErrorsTable groups={data.errorGroups.nodes} since={since} />}
    </Panel>
  );
}
