// The two ways in which jobs of other systems get here, with their commands.
import { CopyButton } from '../../components/copy-button';
import { t } from '../../text/text';

const MIRROR = `joblens mirror check --url-env SHOP_URL
joblens mirror add shop --url-env SHOP_URL --since 30d
joblens mirror run`;

const CLIENT = `from joblens_client import Recorder
from joblens_client.celery import instrument

recorder = Recorder("https://joblens.example.com", "jl_…", "shop")
instrument(app, recorder)`;

export function AddSource() {
  return (
    <section className="panel guide">
      <h2>{t('sources.none')}</h2>
      <p>{t('sources.noneWhy')}</p>
      <Way title={t('sources.mirror')} why={t('sources.mirrorWhy')} code={MIRROR} />
      <Way title={t('sources.client.title')} why={t('sources.clientWhy')} code={CLIENT} />
    </section>
  );
}

function Way({ title, why, code }: { title: string; why: string; code: string }) {
  return (
    <div className="way">
      <header className="panel-head">
        <h3>{title}</h3>
        <CopyButton text={code} />
      </header>
      <p>{why}</p>
      <pre tabIndex={0} aria-label={title} role="region">
        {code}
      </pre>
    </div>
  );
}
