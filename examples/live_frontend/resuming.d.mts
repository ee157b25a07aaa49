import type { Client } from 'graphql-ws';

export function resuming(
  client: Pick<Client, 'subscribe'>,
  onInterrupted?: (reason: unknown) => void,
): Pick<Client, 'subscribe'>;
