// What the reader chooses for this browser, and who the server takes the reader for.
import { type SubmitEvent, useState } from 'react';

import { Choice } from '../../components/choice';
import { Page } from '../../components/page';
import { Panel } from '../../components/panel';
import { Time } from '../../components/time';
import { chooseOrg } from '../../data/org';
import { useQuery } from '../../data/use-query';
import { SettingsViewerDocument, type SettingsViewerQuery } from '../../generated/graphql';
import { needsToken } from '../../../shared/session';
import { change, deviceZone, settings } from '../../settings/settings';
import { t } from '../../text/text';

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
    <section className="panel form">
      <Choice
        showsLabel
        label={t('settings.theme')}
        value={settings.theme}
        options={(['system', 'light', 'dark'] as const).map((value) => ({
          value,
          label: t(`settings.theme.${value}`),
        }))}
        onChange={(theme) => set({ theme })}
      />
      <Choice
        showsLabel
        label={t('settings.density')}
        value={settings.density}
        options={(['compact', 'comfortable'] as const).map((value) => ({
          value,
          label: t(`settings.density.${value}`),
        }))}
        onChange={(density) => set({ density })}
      />
      <Choice
        showsLabel
        label={t('settings.language')}
        value={settings.language}
        options={[
          { value: 'en', label: 'English' },
          { value: 'de', label: 'Deutsch' },
        ]}
        onChange={(language) => set({ language })}
      />
      <label>
        {t('settings.timeZone')}
        <select
          value={settings.timeZone ?? ''}
          onChange={(event) => set({ timeZone: event.target.value || null })}
        >
          <option value="">{t('settings.timeZone.local', { zone: deviceZone })}</option>
          <option value="UTC">UTC</option>
          {Intl.supportedValuesOf('timeZone').map((zone) => (
            <option key={zone}>{zone}</option>
          ))}
        </select>
      </label>
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
