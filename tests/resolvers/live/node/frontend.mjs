// Watches through the examples of examples/live_frontend, beside which this file is copied, until its
// input ends. Writes a line of JSON for each event, each interruption, and each cursor that it
// subscribes after. Usage: frontend.mjs URL ORG
import { WebSocket } from 'ws';

import * as apollo from './apollo.mjs';
import { resuming } from './resuming.mjs';
import { overEvents, overWebSocket } from './transports.mjs';
import * as urql from './urql.mjs';

// Browsers have it, and so has Node since 22.
globalThis.WebSocket ??= WebSocket;
const [url, org] = process.argv.slice(2);
const credentials = { 'Joblens-Org': org };
const say = (kind, what, value) => console.log(JSON.stringify([kind, what, value]));
const codes = (reason) =>
  Array.isArray(reason) ? reason.map((error) => error.extensions.code).join() : String(reason);

async function begin(kind, transport, watched) {
  const heard = {
    subscribe(request, sink) {
      say(kind, 'after', request.variables.after);
      return transport.subscribe(request, sink);
    },
  };
  const live = resuming(heard, (reason) => say(kind, 'interrupted', codes(reason)));
  const { watch, client } = watched(live);
  const stop = await watch(
    client,
    (node) => say(kind, 'event', node.id),
    (error) => say(kind, 'error', String(error)),
  );
  say(kind, 'watching');
  return () => {
    stop();
    transport.dispose();
  };
}

const withUrql = (live) => ({ watch: urql.watch, client: urql.makeClient(url, credentials, live) });
const withApollo = (link) => (live) => ({
  watch: apollo.watch,
  client: apollo.makeClient(url, credentials, link(live)),
});

const ends = await Promise.all([
  begin('urql over WebSocket', overWebSocket(url, credentials), withUrql),
  begin('urql over SSE', overEvents(url, credentials), withUrql),
  begin('Apollo over WebSocket', overWebSocket(url, credentials), withApollo(apollo.socketLink)),
  begin('Apollo over SSE', overEvents(url, credentials), withApollo(apollo.eventsLink)),
]);
process.stdin.resume().on('end', () => ends.forEach((end) => end()));
