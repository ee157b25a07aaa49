// Where the page is mounted, and what the server said of itself in the page's head.

function meta(name: string): string {
  return document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? '';
}

/** The address of the root of Joblens, with a slash at its end. */
export const root = new URL(meta('joblens-root') || './', window.location.href);
root.search = root.hash = '';

/** What all paths of pages begin with: empty, or a path without a slash at its end. */
export const base = root.pathname.replace(/\/$/, '');

export const api = new URL('graphql', root);
export const hasGraphiql = meta('joblens-graphiql') === 'true';

export const liveApi = new URL(api);
liveApi.protocol = api.protocol.replace('http', 'ws');
