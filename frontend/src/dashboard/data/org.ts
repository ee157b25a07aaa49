// Whose jobs to see, where no token says so: kept for as long as this tab lives.
import { needsToken } from '../../shared/session';

const KEY = 'joblens:org';

/** The organisation that was chosen; null: that of the token, or the server's default. */
export function currentOrg(): string | null {
  return needsToken ? null : sessionStorage.getItem(KEY);
}

/** Chooses an organisation by its UUID; null: the server's default. Loads the page again. */
export function chooseOrg(org: string | null): void {
  if (org === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, org);
  window.location.reload();
}
