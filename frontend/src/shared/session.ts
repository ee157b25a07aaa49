// The token of this tab: kept for as long as the tab lives, by both pages.

const KEY = 'joblens:token';
const TROUBLE_KEY = 'joblens:trouble';

const mode = document.querySelector('meta[name="joblens-auth"]')?.getAttribute('content');
export const needsToken = mode !== 'none';

export type Headers = Record<string, string>;
/** Why there is no sign-in: a code, or the status with which the server answered. */
export type Trouble = 'refused' | 'unreachable' | number;

export function authorization(token: string): Headers {
  return { Authorization: `Bearer ${token}` };
}

export function currentToken(): string | null {
  return sessionStorage.getItem(KEY);
}

/** Why the last token was left; null if there was no trouble. */
export function lastTrouble(): Trouble | null {
  return sessionStorage.getItem(TROUBLE_KEY) === 'refused' ? 'refused' : null;
}

/** Forgets the token. With the page goes what it has read, and its WebSocket. */
export function leave(trouble?: 'refused'): void {
  sessionStorage.removeItem(KEY);
  if (trouble) sessionStorage.setItem(TROUBLE_KEY, trouble);
  else sessionStorage.removeItem(TROUBLE_KEY);
  window.location.reload();
}

/** Tries the token, and keeps it if the server takes it; else says why not. */
export async function enter(api: string, token: string): Promise<Trouble | null> {
  try {
    const answer = await fetch(api, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...authorization(token) },
      body: '{"query":"{ viewer { subject } }"}',
    });
    if (answer.status === 401) return 'refused';
    if (!answer.ok) return answer.status;
  } catch {
    // A token may hold what no header can, too.
    return 'unreachable';
  }
  sessionStorage.setItem(KEY, token);
  sessionStorage.removeItem(TROUBLE_KEY);
  return null;
}
