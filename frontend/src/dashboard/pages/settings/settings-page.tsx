// What the reader chooses for this browser, and who the server takes the reader for.
import { type ReactNode, type SubmitEvent, useState } from 'react';

import { Choice } from '../../components/choice';
import { Page } from '../../components/page';
import { Panel } from '../../components/panel';
import { Time, timeStyle, useNow } from '../../components/time';
import { chooseOrg } from '../../data/org';
import { useQuery } from '../../data/use-query';
import { SettingsViewerDocument, type SettingsViewerQuery } from '../../generated/graphql';
import { needsToken } from '../../../shared/session';
import { change, deviceZone, settings, timeZone } from '../../settings/settings';
import { t } from '../../text/text';
import { formatTime } from '../../time/format';
import { offsetText } from '../../time/zones';

export default function SettingsPage() {
  const viewer = useQuery(SettingsViewerDocument, {});
  return (
    <Page title={t('settings.title')}>
      <Choices />
      <Panel title={t('settings.viewer')} state={viewer}>
        {(data) => <Viewer data={data} />}
      </Panel>
      {!needsToken && <Org />}
    </Page>
  );
}

function Choices() {
  const [, show] = useState({});
  const set: typeof change = (changed) => (change(changed), show({}));
  return (
    <section className="panel form" aria-labelledby="display">
      <h2 id="display">{t('settings.display')}</h2>
      <Row label={t('settings.theme')}>
        <Choice
          label={t('settings.theme')}
          value={settings.theme}
          options={(['system', 'light', 'dark'] as const).map((value) => ({
            value,
            label: t(`settings.theme.${value}`),
          }))}
          onChange={(theme) => set({ theme })}
        />
      </Row>
      <Row label={t('settings.density')}>
        <Choice
          label={t('settings.density')}
          value={settings.density}
          options={(['compact', 'comfortable'] as const).map((value) => ({
            value,
            label: t(`settings.density.${value}`),
          }))}
          onChange={(density) => set({ density })}
        />
      </Row>
      <Row label={t('settings.language')}>
        <Choice
          label={t('settings.language')}
          value={settings.language}
          options={[
            { value: 'en', label: 'English' },
            { value: 'de', label: 'Deutsch' },
          ]}
          onChange={(language) => set({ language })}
        />
      </Row>
      <Row label={t('settings.timeZone')}>
        <select
          aria-label={t('settings.timeZone')}
          value={settings.timeZone ?? ''}
          onChange={(event) => set({ timeZone: event.target.value || null })}
        >
          <option value="">{t('settings.timeZone.local', { zone: deviceZone })}</option>
          <option value="UTC">UTC</option>
          {Intl.supportedValuesOf('timeZone').map((zone) => (
            <option key={zone}>{zone}</option>
          ))}
        </select>
        <Now />
      </Row>
      <label className="check">
        <input
          type="checkbox"
          checked={settings.hasSingleKeys}
          onChange={(event) => set({ hasSingleKeys: event.target.checked })}
        />
        {t('settings.keys')}
      </label>
      <label className="check">
        <input
          type="checkbox"
          checked={settings.reducesMotion}
          onChange={(event) => set({ reducesMotion: event.target.checked })}
        />
        {t('settings.motion')}
      </label>
      <p className="muted">{t('settings.stored')}</p>
    </section>
  );
}

/** The label is that of the control, too, which has it hidden. */
function Row({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="setting">
      <span aria-hidden="true">{label}</span>
      <div>{children}</div>
    </div>
  );
}

function Now() {
  const now = useNow();
  const time = `${formatTime(now, timeStyle, 'minutes')} ${offsetText(now, timeZone)}`;
  return <p className="muted">{t('settings.now', { time })}</p>;
}

function Viewer({ data: { viewer, server } }: { data: SettingsViewerQuery }) {
  return (
    <dl className="facts">
      <dt>{t('settings.org')}</dt>
      <dd>
        {viewer.orgName ?? ''} <code>{viewer.orgId}</code>
      </dd>
      <dt>{t('settings.subject')}</dt>
      <dd>{viewer.subject}</dd>
      <dt>{t('settings.roles')}</dt>
      <dd>{viewer.roles.join(', ')}</dd>
      <dt>{t('settings.expires')}</dt>
      <dd>{viewer.expiresAt ? <Time time={viewer.expiresAt} parts="minutes" /> : t('settings.never')}</dd>
      <dt>{t('settings.server')}</dt>
      <dd>Joblens {server.version}</dd>
    </dl>
  );
}

function Org() {
  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const given = new FormData(event.currentTarget).get('org');
    chooseOrg(typeof given === 'string' && given.trim() !== '' ? given.trim() : null);
  }
  return (
    <form className="panel form" onSubmit={submit}>
      <label>
        {t('settings.orgChoose')}
        <input name="org" autoComplete="off" aria-describedby="org-hint" />
      </label>
      <p id="org-hint" className="muted">
        {t('settings.orgHint')}
      </p>
      <button type="submit">{t('settings.apply')}</button>
    </form>
  );
}
