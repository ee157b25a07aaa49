// Queries and mutations over HTTP, subscriptions over `live`, by Apollo Client.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, Observable, gql } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode, print } from 'graphql';

/** Over WebSocket: `live` is made of a client of graphql-ws. */
export const socketLink = (live) => new GraphQLWsLink(live);

/** Over Server-Sent Events: `live` is made of a client of graphql-sse. */
export const eventsLink = (live) =>
  new ApolloLink(
    ({ query, variables, operationName }) =>
      new Observable((sink) =>
        live.subscribe({ query: print(query), variables, operationName }, sink),
      ),
  );

export function makeClient(url, credentials, liveLink) {
  return new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      liveLink,
      new HttpLink({ uri: url, headers: credentials }),
    ),
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
  // 'no-cache': the cache would keep every event for good.
  const fetchPolicy = 'no-cache';
  const latest = await client.query({ query: LATEST, fetchPolicy });
  const { nodes, pageInfo } = latest.data.jobEvents;
  nodes.toReversed().forEach((node) => onEvent(node));
  // The cursor knows what the list has seen: the subscription goes on right there.
  const variables = { after: pageInfo.startCursor };
  const running = client.subscribe({ query: NEW, variables, fetchPolicy }).subscribe({
    next: ({ data, error }) => {
      if (error) onError(error);
      else onEvent(data.jobEvents.node);
    },
    error: onError,
  });
  return () => running.unsubscribe();
}
