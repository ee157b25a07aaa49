// The two ways to subscribe. Neither client may try again by itself: it would do so with the cursor
// that it began with. `credentials` are headers: `{ Authorization: 'Bearer …' }`.
import { createClient as createEventsClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';

export function overWebSocket(url, credentials) {
  let silence;
  const client = createSocketClient({
    url: url.replace(/^http/, 'ws'),
    connectionParams: credentials,
    retryAttempts: 0,
    // A silent network failure closes no connection: terminate it if the server does not answer.
    keepAlive: 10_000,
    on: {
      ping: (received) => {
        if (!received) silence = setTimeout(() => client.terminate(), 5_000);
      },
      pong: () => clearTimeout(silence),
      closed: () => clearTimeout(silence),
    },
  });
  return client;
}

export function overEvents(url, credentials) {
  return createEventsClient({ url, headers: credentials, retryAttempts: 0 });
}
