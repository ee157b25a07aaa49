// Live updates: one WebSocket for all subscriptions of the page, or events of the server where none
// opens. Ended ones are resumed after their last cursor. None while the page is hidden for long.
import { createClient, type Client, type Sink } from 'graphql-ws';
import { useEffect, useRef, useSyncExternalStore } from 'react';

import { resuming } from '../../../../examples/live_frontend/resuming.mjs';
import { leave } from '../../shared/session';
import { type ApiError, type ApiFault, type Document, errorOf, hashOf, members, requestHeaders } from './client';
import { api, liveApi } from './place';

/** How current the page is. `paused`: by the reader. */
export type Liveness = 'off' | 'live' | 'catching-up' | 'old' | 'paused';

const HIDDEN_MS = 60_000;
const SILENCE_MS = 5_000;
const UNAUTHENTICATED = 4403;

type Result = { data?: unknown; errors?: readonly ApiFault[] };
type Transport = { subscribe: Client['subscribe'] };

class Live {
  #transport: Transport | undefined;
  #state: Liveness = 'off';
  #since = Date.now();
  #isPaused = false;
  #isHidden = false;
  readonly #listeners = new Set<() => void>();
  #active = 0;

  constructor() {
    let timer = 0;
    document.addEventListener('visibilitychange', () => {
      window.clearTimeout(timer);
      if (document.visibilityState === 'visible') this.#setHidden(false);
      else timer = window.setTimeout(() => this.#setHidden(true), HIDDEN_MS);
    });
  }

  readonly listen = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly state = (): Liveness => (this.#isPaused ? 'paused' : this.#state);

  /** Since when the page is as it is, in milliseconds since the epoch. */
  get since(): number {
    return this.#since;
  }

  /** Whether subscriptions are to run. */
  readonly isOn = (): boolean => !this.#isPaused && !this.#isHidden;

  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.#since = Date.now();
    this.#tell();
  }

  /** Subscribes by the document's hash; by its text, if the server is of another version. */
  subscribe<R, V>(asked: Document<R, V>, variables: V, sink: Sink<Result>): () => void {
    this.#active++;
    if (this.#state === 'off') this.#become('catching-up');
    const byText = { query: asked.toString(), variables };
    let stop = this.#start({ ...members(asked, variables), query: '' }, sink, () => {
      stop = this.#start(byText, sink, sink.error);
    });
    return () => {
      this.#active--;
      stop();
      if (this.#active === 0) this.#become('off');
    };
  }

  #start(payload: object, sink: Sink<Result>, onError: (problem: unknown) => void): () => void {
    this.#transport ??= resuming(this.#open(), () => this.#become('old')) as Transport;
    return this.#transport.subscribe(payload as never, {
      next: (result) => {
        this.#become('live');
        sink.next(result as Result);
      },
      error: (problem) => {
        if (codeOf(problem) === 'PERSISTED_QUERY_NOT_FOUND') onError(problem);
        else sink.error(problem);
      },
      complete: sink.complete,
    });
  }

  #open(): Transport {
    const socket = openSocket({
      opened: () => this.#become('live'),
      closed: (code) => (code === UNAUTHENTICATED ? leave('refused') : this.#become('old')),
    });
    return withFallback(socket);
  }

  #become(state: Liveness): void {
    if (state === this.#state || (state === 'old' && this.#active === 0)) return;
    this.#state = state;
    this.#since = Date.now();
    this.#tell();
  }

  #setHidden(isHidden: boolean): void {
    if (isHidden === this.#isHidden) return;
    this.#isHidden = isHidden;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function codeOf(problem: unknown): string | undefined {
  return Array.isArray(problem) ? (problem as ApiFault[])[0]?.extensions?.code : undefined;
}

function openSocket(on: { opened: () => void; closed: (code?: number) => void }): Client {
  let silence = 0;
  const client = createClient({
    url: liveApi.href,
    connectionParams: requestHeaders,
    retryAttempts: 0,
    // A network that fails in silence closes no connection: end it if the server does not answer.
    keepAlive: 10_000,
    on: {
      connected: on.opened,
      ping: (received) => {
        if (!received) silence = window.setTimeout(() => client.terminate(), SILENCE_MS);
      },
      pong: () => window.clearTimeout(silence),
      closed: (event) => {
        window.clearTimeout(silence);
        on.closed((event as CloseEvent | undefined)?.code);
      },
    },
  });
  return client;
}

/** Subscribes over the WebSocket; over events of the server, if two in a row could not open one. */
function withFallback(socket: Client): Transport {
  let failures = 0;
  let events: Promise<Transport> | undefined;
  socket.on('connected', () => (failures = 0));
  socket.on('error', () => failures++);
  return {
    subscribe: (payload, sink) => {
      if (failures < 2) return socket.subscribe(payload, sink);
      events ??= import('./events').then(({ openEvents }) => openEvents(api, requestHeaders));
      let stop: (() => void) | undefined;
      let isOver = false;
      events.then(
        (client) => {
          if (!isOver) stop = client.subscribe(payload, sink);
        },
        (error: unknown) => {
          // The server is away, so its scripts are too: begin again with the WebSocket.
          events = undefined;
          failures = 0;
          sink.error(error);
        },
      );
      return () => {
        isOver = true;
        stop?.();
      };
    },
  };
}

export const live = new Live();

export function useLiveness(): Liveness {
  return useSyncExternalStore(live.listen, live.state);
}

/**
 * Subscribes for as long as the component is shown and the page is live. A subscription with `after`
 * goes on after its last cursor when the page is shown again.
 */
export function useSubscription<R, V>(
  document: Document<R, V>,
  variables: V,
  onData: (data: R) => void,
  { pause = false, onError }: { pause?: boolean; onError?: (error: ApiError) => void } = {},
): void {
  const isOn = useSyncExternalStore(live.listen, live.isOn) && !pause;
  const handler = useRef(onData);
  handler.current = onData;
  const onFault = useRef(onError);
  onFault.current = onError;
  const cursor = useRef<string | undefined>(undefined);
  const key = `${hashOf(document)}:${JSON.stringify(variables)}`;
  const keyOfCursor = useRef(key);
  const given = useRef({ document, variables });
  given.current = { document, variables };

  useEffect(() => {
    if (!isOn) return;
    if (keyOfCursor.current !== key) cursor.current = undefined;
    keyOfCursor.current = key;
    const { document: asked, variables: known } = given.current;
    const after = cursor.current === undefined ? {} : { after: cursor.current };
    return live.subscribe(asked, { ...known, ...after }, {
      next: ({ data, errors }) => {
        if (errors?.[0]) onFault.current?.(errorOf(errors[0]));
        if (!data) return;
        cursor.current = cursorOf(data) ?? cursor.current;
        handler.current(data as R);
      },
      error: (problem) => {
        if (Array.isArray(problem)) onFault.current?.(errorOf((problem as ApiFault[])[0] as ApiFault));
      },
      complete: () => undefined,
    });
  }, [key, isOn]);
}

function cursorOf(data: unknown): string | undefined {
  const { jobEvents, errorGroupSeen } = data as Record<string, { cursor?: string } | undefined>;
  return (jobEvents ?? errorGroupSeen)?.cursor;
}
