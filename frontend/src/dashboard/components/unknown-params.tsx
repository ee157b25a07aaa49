// Names the parameters of the URL that the page does not know: they have no effect, and are kept.
import { t } from '../text/text';
import { Foreign } from './foreign';
import { useParams } from './use-param';

export function UnknownParams({ known }: { known: readonly string[] }) {
  const [params] = useParams();
  const names = [...new Set(params.keys())].filter((name) => !known.includes(name));
  if (names.length === 0) return null;
  return (
    <p className="notice" role="status">
      {t('lists.unknownParams')} <Foreign text={names.join(', ')} />
    </p>
  );
}
