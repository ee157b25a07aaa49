// The errors of a type in a time, the most frequent first.
import { ErrorsPanel } from '../../components/errors-panel';
import { useQuery } from '../../data/use-query';
import { TypeErrorsDocument } from '../../generated/graphql';
import { t } from '../../text/text';

export function TypeErrors({ type, since }: { type: string; since: string }) {
  const state = useQuery(TypeErrorsDocument, { type, since });
  return (
    <ErrorsPanel title={t('types.errors')} state={state} none={t('types.errorsNone')} since={since} />
  );
}
