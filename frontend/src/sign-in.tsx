// Asks for a token where the server wants one, and keeps it for as long as this tab lives.
import { type ReactNode, type SubmitEvent, useState } from 'react';

import { Wordmark } from './wordmark';

const KEY = 'joblens:token';
const TROUBLE_KEY = 'joblens:trouble';
const REFUSED = 'The server does not take this token: it is unknown, has expired or was revoked.';

const mode = document.querySelector('meta[name="joblens-auth"]')?.getAttribute('content');
export const needsToken = mode !== 'none';

export type Headers = Record<string, string>;

export function authorization(token: string): Headers {
  return { Authorization: `Bearer ${token}` };
}

interface Props {
  // What is shown to whoever has signed in; `refuse` is for a token that is taken no longer.
  children: (token: string, refuse: () => void, signOut: () => void) => ReactNode;
}

export function SignIn({ children }: Props) {
  const [token, setToken] = useState(() => sessionStorage.getItem(KEY));
  const [trouble, setTrouble] = useState(() => sessionStorage.getItem(TROUBLE_KEY) ?? '');

  // With the page goes what it has read, and its WebSocket.
  function leave(reason: string) {
    sessionStorage.removeItem(KEY);
    sessionStorage.setItem(TROUBLE_KEY, reason);
    window.location.reload();
  }

  async function enter(given: string) {
    setTrouble((await whatIsWrong(given)) ?? '');
    if (sessionStorage.getItem(KEY) === given) setToken(given);
  }

  if (token !== null) return children(token, () => leave(REFUSED), () => leave(''));
  return <Form trouble={trouble} onToken={(given) => void enter(given)} />;
}

/** Tries the token, and keeps it if the server takes it; else says why not. */
async function whatIsWrong(token: string): Promise<string | undefined> {
  try {
    const answer = await fetch(window.location.pathname, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...authorization(token) },
      body: '{"query":"{ viewer { subject } }"}',
    });
    if (answer.status === 401) return REFUSED;
    if (!answer.ok) return `The server answers with ${answer.status}. Try again.`;
  } catch {
    // A token may hold what no header can, too.
    return 'The server could not be asked. Try again.';
  }
  sessionStorage.setItem(KEY, token);
  sessionStorage.removeItem(TROUBLE_KEY);
  return undefined;
}

function Form({ trouble, onToken }: { trouble: string; onToken: (token: string) => void }) {
  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const given = new FormData(event.currentTarget).get('token');
    if (typeof given === 'string' && given.trim() !== '') onToken(given.trim());
  }

  return (
    <form className="joblens-sign-in" onSubmit={submit}>
      <Wordmark />
      <label htmlFor="token">Token</label>
      <input id="token" name="token" type="password" autoComplete="off" autoFocus required />
      <p role="alert">{trouble}</p>
      <button type="submit">Sign in</button>
      <p className="joblens-hint">
        It is sent to this server alone, and forgotten when this tab is closed.
      </p>
    </form>
  );
}
