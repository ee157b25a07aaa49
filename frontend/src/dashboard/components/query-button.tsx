// Shows the query that a panel is the answer to, and leads to GraphiQL with it.
import { useState } from 'react';

import { hasGraphiql, root } from '../data/place';
import type { Asked } from '../data/use-query';
import { t } from '../text/text';
import { CopyButton } from './copy-button';
import { Dialog } from './dialog';
import { Icon } from './icon';

interface Props {
  title: string;
  /** Several are shown as operations of one document. */
  asked: Asked | readonly Asked[];
}

export function QueryButton({ title, asked: given }: Props) {
  const [isOpen, setOpen] = useState(false);
  const asked = oneDocument([given].flat());
  const name = t('panel.queryOf', { panel: title });
  return (
    <>
      <button
        type="button"
        className="quiet query-button"
        aria-label={name}
        title={t('panel.query')}
        onClick={() => setOpen(true)}
      >
        <Icon name="query" />
      </button>
      {isOpen && (
        <Dialog title={name} isWide onClose={() => setOpen(false)} actions={<Links asked={asked} />}>
          <p>{t('panel.queryHint')}</p>
          <pre tabIndex={0}>{asked.text}</pre>
          <h3>{t('panel.variables')}</h3>
          <pre tabIndex={0}>{variablesText(asked)}</pre>
        </Dialog>
      )}
    </>
  );
}

function Links({ asked }: { asked: Asked }) {
  return (
    <>
      <CopyButton text={asked.text} />
      {hasGraphiql && (
        <a className="button primary" href={graphiqlUrl(asked)} target="_blank" rel="noreferrer">
          {t('panel.openInGraphiql')}
          <Icon name="external" />
        </a>
      )}
    </>
  );
}

function variablesText({ variables }: Asked): string {
  return JSON.stringify(variables, null, 2);
}

function oneDocument(asked: readonly Asked[]): Asked {
  return {
    text: asked.map(({ text }) => withoutIndents(text)).join('\n\n'),
    variables: Object.assign({}, ...asked.map(({ variables }) => variables)) as unknown,
  };
}

/** The first line of each definition is indented in the documents as they are built. */
function withoutIndents(text: string): string {
  return text.trim().replaceAll(/^ +(?=(?:query|fragment|subscription) )/gm, '');
}

/** The fragment stays in the browser: no server and no log gets a query by its address. */
export function graphiqlUrl(asked: Asked): string {
  const url = new URL('graphql', root);
  const fields = new URLSearchParams({ query: asked.text, variables: variablesText(asked) });
  url.hash = fields.toString();
  return url.href;
}
