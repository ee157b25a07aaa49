// Asks for a token where the server wants one.
import './sign-in.css';

import { type ReactNode, type SubmitEvent, useState } from 'react';

import { currentToken, enter, lastTrouble, leave, type Trouble } from './session';
import { Wordmark } from './wordmark';

export interface SignInTexts {
  token: string;
  submit: string;
  hint: string;
  trouble: (trouble: Trouble) => string;
}

export const english: SignInTexts = {
  token: 'Token',
  submit: 'Sign in',
  hint: 'It is sent to this server alone, and forgotten when this tab is closed.',
  trouble: (trouble) => {
    if (trouble === 'refused')
      return 'The server does not take this token: it is unknown, has expired or was revoked.';
    if (trouble === 'unreachable') return 'The server could not be asked. Try again.';
    return `The server answers with ${trouble}. Try again.`;
  },
};

interface Props {
  /** The address of the API. */
  api: string;
  texts?: SignInTexts;
  /** What is shown after the sign-in; `refuse` is for a token that is taken no longer. */
  children: (token: string, refuse: () => void, signOut: () => void) => ReactNode;
}

export function SignIn({ api, texts = english, children }: Props) {
  const [token, setToken] = useState(currentToken);
  const [trouble, setTrouble] = useState<Trouble | null>(lastTrouble);

  async function check(given: string) {
    const found = await enter(api, given);
    setTrouble(found);
    if (found === null) setToken(given);
  }

  if (token !== null) return children(token, () => leave('refused'), () => leave());
  return (
    <Form
      texts={texts}
      trouble={trouble === null ? '' : texts.trouble(trouble)}
      onToken={(given) => void check(given)}
    />
  );
}

interface FormProps {
  texts: SignInTexts;
  trouble: string;
  onToken: (token: string) => void;
}

function Form({ texts, trouble, onToken }: FormProps) {
  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const given = new FormData(event.currentTarget).get('token');
    if (typeof given === 'string' && given.trim() !== '') onToken(given.trim());
  }

  return (
    <main>
      <form className="joblens-sign-in" onSubmit={submit}>
        <h1>
          <Wordmark />
        </h1>
        <label htmlFor="token">{texts.token}</label>
        <input id="token" name="token" type="password" autoComplete="off" autoFocus required />
        <p role="alert">{trouble}</p>
        <button type="submit">{texts.submit}</button>
        <p className="joblens-hint">{texts.hint}</p>
      </form>
    </main>
  );
}
