// Subscriptions over events of the server (SSE), for networks that let no WebSocket through.
import { createClient } from 'graphql-sse';

export function openEvents(url: URL, headers: () => Record<string, string>) {
  const client = createClient({ url: url.href, headers, retryAttempts: 0 });
  return { subscribe: client.subscribe.bind(client) as never };
}
