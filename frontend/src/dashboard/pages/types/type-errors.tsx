// The errors of a type in a time, the most frequent first.
import { EmptyState } from '../../components/states';
import { Panel } from '../../components/panel';
import { useQuery } from '../../data/use-query';
import { TypeErrorsDocument } from '../../generated/graphql';
import { t } from '../../text/text';
import { ErrorsTable } from '../errors/errors-table';

export function TypeErrors({ type, since }: { type: string; since: string }) {
  const state = useQuery(TypeErrorsDocument, { type, since });
  if (state.error?.code === 'FORBIDDEN') {
    return (
      <section className="panel">
        <h2>{t('types.errors')}</h2>
        <EmptyState>{t('types.hiddenErrors')}</EmptyState>
      </section>
    );
  }
  return (
    <Panel
      title={t('types.errors')}
      state={state}
      empty={(data) => (data.errorGroups.nodes.length === 0 ? t('types.errorsNone') : null)}
    >
      {(data) => <ErrorsTable groups={data.errorGroups.nodes} since={since} />}
    </Panel>
  );
}
