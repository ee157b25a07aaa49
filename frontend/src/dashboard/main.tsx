// The dashboard of the Joblens server that serves this page. It uses the public API alone.
import '../shared/tokens.css';
import './styles/index.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { needsToken } from '../shared/session';
import { SignIn } from '../shared/sign-in';
import { App } from './app';
import { api } from './data/place';
import { loadPage } from './pages/pages';
import { applyToPage } from './settings/settings';
import { loadText } from './text/text';
import { signInTexts } from './text/sign-in-texts';

const root = document.getElementById('root');
if (root === null) throw new Error('the page has no #root');

// The icon's address is relative, and the page's own address changes as the reader goes on.
const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
icon?.setAttribute('href', icon.href);

applyToPage();
await loadText();
// Its tables have their words as soon as it is loaded.
await loadPage(window.location.pathname);

createRoot(root).render(
  <StrictMode>
    {needsToken ? (
      <SignIn api={api.href} texts={signInTexts()}>
        {() => <App />}
      </SignIn>
    ) : (
      <App />
    )}
  </StrictMode>,
);
