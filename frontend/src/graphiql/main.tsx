// GraphiQL for the Joblens server that serves this page. Nothing here asks another host.
import './nonce';
import './workers';
import '@graphiql/react/font/roboto.css';
import '@graphiql/react/font/fira-code.css';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import '../shared/tokens.css';
import './style.css';

import { ImagePreview } from '@graphiql/react';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { useState } from 'react';
import { createRoot } from 'react-dom/client';

import { Behaviour } from './behaviour';
import { examples } from './examples';
import { authorization, type Headers, needsToken } from '../shared/session';
import { SignIn } from '../shared/sign-in';
import { Wordmark } from '../shared/wordmark';

// JSON with comments: as it stands, it sends no header. Where a token says whose jobs to see, there
// is nothing to name.
const HEADERS = needsToken
  ? ''
  : `{
  // Whose jobs to see, if not those of the server's
  // default organisation (Ctrl-/ uncomments):
  // "Joblens-Org": "00000000-0000-0000-0000-000000000002"
}`;

// Payloads are other people's data: hovering over an image's address in a result must not fetch it.
ImagePreview.shouldRender = () => false;

// On a small screen the query needs the room; a tap on Variables or Headers shows them.
const isSmall = window.matchMedia('(max-width: 700px)').matches;

// ws: for http:, wss: for https:. The headers of a tab become the payload of connection_init.
const subscriptionUrl = new URL(window.location.pathname, window.location.href);
subscriptionUrl.protocol = subscriptionUrl.protocol.replace('http', 'ws');

// A link can bring a query in its fragment, which no server and no log gets: the dashboard's do.
const fragment = new URLSearchParams(window.location.hash.slice(1));
const [query, variables] = [fragment.get('query'), fragment.get('variables') ?? ''];
const tabs = [...(query === null ? [] : [{ query, variables }]), ...examples(new Date())];

interface Props {
  headers?: Headers;
  onRefused?: () => void;
  onSignOut?: () => void;
}

function Page({ headers = {}, onRefused, onSignOut }: Props) {
  const [fetcher] = useState(() =>
    createGraphiQLFetcher({
      url: window.location.pathname,
      subscriptionUrl: subscriptionUrl.href,
      enableIncrementalDelivery: false,
      headers,
      wsConnectionParams: headers,
      fetch: async (...request: Parameters<typeof fetch>) => {
        const answer = await fetch(...request);
        if (answer.status === 401) onRefused?.();
        return answer;
      },
    }),
  );

  return (
    <GraphiQL
      fetcher={fetcher}
      {...(query === null ? {} : { initialQuery: query, initialVariables: variables })}
      defaultTabs={tabs}
      defaultQuery=""
      defaultHeaders={HEADERS}
      defaultEditorToolsVisibility={isSmall ? false : 'variables'}
      inputValueDeprecation
      schemaDescription
      shouldPersistHeaders={false}
    >
      <GraphiQL.Logo>
        <Wordmark />
        {onSignOut && (
          <button type="button" className="joblens-sign-out" onClick={onSignOut}>
            Sign out
          </button>
        )}
      </GraphiQL.Logo>
      <Behaviour />
    </GraphiQL>
  );
}

const root = document.getElementById('root');
if (root === null) throw new Error('the page has no #root');

createRoot(root).render(
  needsToken ? (
    <SignIn api={window.location.pathname}>
      {(token, refuse, signOut) => (
        <Page headers={authorization(token)} onRefused={refuse} onSignOut={signOut} />
      )}
    </SignIn>
  ) : (
    <Page />
  ),
);
