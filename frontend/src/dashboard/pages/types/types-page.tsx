// All types of jobs: how many, how long they wait and run, and how often they fail.
import { Page } from '../../components/page';
import { Panel } from '../../components/panel';
import { RangeChoice } from '../../components/range-choice';
import { TextFilter } from '../../components/text-filter';
import { UnknownParams } from '../../components/unknown-params';
import { useParams } from '../../components/use-param';
import { useServerTime } from '../../components/use-server-time';
import { RANGE_PARAMS, useTimeRange } from '../../components/use-time-range';
import { useQuery } from '../../data/use-query';
import { TypesDocument } from '../../generated/graphql';
import { t } from '../../text/text';
import { TypesTable } from './types-table';

const MOST = 60;

export default function TypesPage() {
  const range = useTimeRange();
  const [params, setParams] = useParams();
  const type = params.get('type') ?? '';
  const filter = {
    createdAt: { gte: range.from, lt: range.until },
    ...(type === '' ? {} : { type: { startsWith: type.replace(/\*$/, '') } }),
  };
  const state = useQuery(TypesDocument, { filter, first: MOST });
  useServerTime(state);
  return (
    <Page title={t('types.title')} actions={<RangeChoice range={range} />}>
      <UnknownParams known={[...RANGE_PARAMS, 'type', 'sort']} />
      <div className="filters">
        <TextFilter
          label={t('lists.typeFilter')}
          value={type}
          field="TYPE"
          onChange={(value) => setParams({ type: value })}
        />
      </div>
      <Panel
        title={t('types.list')}
        state={state}
        lines={8}
        empty={(data) => (data.jobGroups.length === 0 ? t('types.none') : null)}
      >
        {(data) => (
          <>
            <TypesTable groups={data.jobGroups} />
            {data.jobGroups.length === MOST && (
              <p className="muted">{t('lists.largest', { count: MOST })}</p>
            )}
          </>
        )}
      </Panel>
    </Page>
  );
}
