// The two ways to subscribe. Neither client may try again by itself: it would do so with the cursor
// that it began with.
import { createClient as createEventsClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';

export function overWebSocket(url, org) {
  let silence;
  const client = createSocketClient({
    url: url.replace(/^http/, 'ws'),
    connectionParams: { 'Joblens-Org': org },
    retryAttempts: 0,
    // A network that fell silent ends nothing by itself: who does not answer is given up.
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

export function overEvents(url, org) {
  return createEventsClient({ url, headers: { 'Joblens-Org': org }, retryAttempts: 0 });
}
