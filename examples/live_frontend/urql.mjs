// Queries and mutations over HTTP, subscriptions over `live`, by urql.
import { Client, cacheExchange, fetchExchange, gql, subscriptionExchange } from '@urql/core';

export function makeClient(url, credentials, live) {
  return new Client({
    url,
    fetchOptions: { headers: credentials },
    exchanges: [
      cacheExchange,
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (request) => ({
          subscribe: (sink) => ({ unsubscribe: live.subscribe(request, sink) }),
        }),
      }),
    ],
  });
}

const EVENT = gql`
  fragment Event on JobEvent { id ts nextStatus detail job { id type } }
`;
const LATEST = gql`
  query Latest { jobEvents(first: 20) { nodes { ...Event } pageInfo { startCursor } } }
  ${EVENT}
`;
const NEW = gql`
  subscription New($after: String) { jobEvents(after: $after) { cursor node { ...Event } } }
  ${EVENT}
`;

/** Hand over the latest events, then each new one; get what ends it. */
export async function watch(client, onEvent, onError) {
  const latest = await client.query(LATEST, {}, { requestPolicy: 'network-only' });
  if (latest.error) throw latest.error;
  const { nodes, pageInfo } = latest.data.jobEvents;
  nodes.toReversed().forEach((node) => onEvent(node));
  // The cursor knows what the list has seen: the subscription goes on right there.
  const variables = { after: pageInfo.startCursor };
  const { unsubscribe } = client.subscription(NEW, variables).subscribe(({ data, error }) => {
    if (error) onError(error);
    else onEvent(data.jobEvents.node);
  });
  return unsubscribe;
}
