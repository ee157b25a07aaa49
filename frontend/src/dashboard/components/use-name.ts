// The name at the end of the page's path, as it is: the router leaves `%2F` and decodes the rest.
import { useLocation } from 'wouter';

export function useName(): string {
  useLocation();
  const last = window.location.pathname.split('/').pop() ?? '';
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}
