// All queues: what they have to do, what they did in the last minutes, and when they are empty.
import { useState } from 'react';

import { Choice } from '../../components/choice';
import { Page } from '../../components/page';
import { Panel } from '../../components/panel';
import { UnknownParams } from '../../components/unknown-params';
import { useChoiceParam } from '../../components/use-param';
import { usePulse } from '../../components/use-pulse';
import { useServerTime } from '../../components/use-server-time';
import { useQuery } from '../../data/use-query';
import { QueuesDocument } from '../../generated/graphql';
import { t } from '../../text/text';
import { QueuesTable } from './queues-table';
import { Workers } from './workers';

export const MINUTES = ['15', '5', '60'] as const;
const IN_ORDER = ['5', '15', '60'] as const;
const RENEW_MS = 10_000;
const PAGE = 100;
/** The API has no more. */
const MOST = 200;

export default function QueuesPage() {
  const [minutes, setMinutes] = useChoiceParam('minutes', MINUTES);
  const [first, setFirst] = useState(PAGE);
  const state = useQuery(
    QueuesDocument,
    { minutes: Number(minutes), first },
    { everyMs: RENEW_MS },
  );
  useServerTime(state);
  usePulse(state.refetch);
  return (
    <Page
      title={t('queues.title')}
      actions={
        <>
          <span className="muted">{t('queues.minutes')}</span>
          <Choice
            label={t('queues.minutes')}
            value={minutes}
            options={IN_ORDER.map((value) => ({ value, label: t(`queues.minutes.${value}`) }))}
            onChange={setMinutes}
          />
        </>
      }
    >
      <UnknownParams known={['minutes', 'sort']} />
      <div className="stack">
        <Panel
          title={t('queues.title')}
          state={state}
          lines={6}
          empty={(data) => (data.queues.length === 0 ? t('queues.none') : null)}
        >
          {(data) => (
            <>
              <QueuesTable queues={data.queues} minutes={Number(minutes)} />
              {data.queues.length >= PAGE && first < MOST && (
                <button type="button" className="more" onClick={() => setFirst(MOST)}>
                  {t('lists.more')}
                </button>
              )}
              {data.queues.length >= MOST && <p className="muted">{t('queues.most')}</p>}
            </>
          )}
        </Panel>
        <Workers minutes={Number(minutes)} />
      </div>
    </Page>
  );
}
