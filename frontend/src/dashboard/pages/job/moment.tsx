// What the job was at a time in the past.
import { useId, useState } from 'react';

import { Panel } from '../../components/panel';
import { StatusTag } from '../../components/status-tag';
import { serverNow, Time } from '../../components/time';
import { useQuery } from '../../data/use-query';
import { JobMomentDocument } from '../../generated/graphql';
import { timeZone } from '../../settings/settings';
import { t } from '../../text/text';
import { localInputText } from '../../time/format';
import { instantOfInput } from '../../time/local-input';

interface Props {
  id: string;
  createdAt: string;
  pause: boolean;
}

export function Moment({ id, createdAt, pause }: Props) {
  const fieldId = useId();
  const [text, setText] = useState(() => localInputText(Math.ceil(Date.parse(createdAt) / 1_000) * 1_000, timeZone));
  const instant = instantOfInput(text, timeZone);
  const [known, setKnown] = useState(instant ?? serverNow());
  const time = new Date(instant ?? known).toISOString();
  const state = useQuery(JobMomentDocument, { id, time }, { pause });
  return (
    <Panel title={t('job.moment')} state={state} lines={1} actions={null}>
      {(data) => (
        <>
          <div className="moment">
            <label htmlFor={fieldId}>{t('job.momentAt', { zone: timeZone })}</label>
            <input
              id={fieldId}
              type="datetime-local"
              step={1}
              value={text}
              onChange={(event) => {
                setText(event.target.value);
                setKnown(instantOfInput(event.target.value, timeZone) ?? known);
              }}
            />
          </div>
          <p role="status">
            {data.job?.at ? (
              <>
                <StatusTag status={data.job.at.status} />{' '}
                {t('job.momentIs', { attempt: data.job.at.attempt })}{' '}
                <Time time={data.job.at.since} parts="full" />
              </>
            ) : (
              t('job.momentNone')
            )}
          </p>
        </>
      )}
    </Panel>
  );
}
