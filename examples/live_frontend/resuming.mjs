// Resumes a subscription after a lost connection: it is started again after its last event, and each
// event is delivered once. Wraps a client of graphql-ws or graphql-sse, and has the same interface.

// Transient errors: the same subscription may succeed later.
const TRANSIENT = [
  ...['SLOW_CONSUMER', 'UNAVAILABLE', 'TIMEOUT', 'OVERLOADED', 'RATE_LIMITED'],
  ...['TOO_MANY_REQUESTS', 'TOO_MANY_CONNECTIONS', 'TOO_MANY_SUBSCRIPTIONS'],
];
const TOO_MANY_REQUESTS = 429;
// Why a WebSocket is closed for good: what we say is wrong, and would be wrong again.
const FINAL_CLOSES = [1009, 4400, 4401, 4403, 4406, 4409, 4429];
// A resumed subscription may repeat events: more than were delivered just before it was cut off.
const REMEMBERED_IDS = 10_000;
const LONGEST_WAIT = 30_000;

const passes = (errors) => errors.some((error) => TRANSIENT.includes(error.extensions?.code));

function isFinal(problem) {
  if (Array.isArray(problem)) return !passes(problem); // GraphQL errors
  if (problem?.response) {
    const { status } = problem.response; // an answer of HTTP
    return status < 500 && status !== TOO_MANY_REQUESTS;
  }
  return FINAL_CLOSES.includes(problem?.code); // the end of a WebSocket
}

/**
 * Select `cursor` and `node { id }` of `jobEvents`, and give it `$after`; of `job` select `isTerminal`.
 * `onInterrupted` is called with the reason when a subscription ended and will be started again.
 *
 * @param {import('graphql-ws').Client | import('graphql-sse').Client} client
 * @param {(reason: unknown) => void} [onInterrupted]
 */
export function resuming(client, onInterrupted = () => {}) {
  function subscribe(request, sink) {
    const ids = new Set();
    let variables = request.variables;
    let isOver = false;
    let tries = 0;
    let current = 0;
    let timer;
    let stop;

    function begin() {
      const mine = ++current;
      // Ignore the results of a subscription that has been replaced.
      const unlessReplaced = (handle) => (value) => mine === current && handle(value);
      stop = client.subscribe(
        { ...request, variables },
        {
          next: unlessReplaced(next),
          error: unlessReplaced(error),
          complete: unlessReplaced(complete),
        },
      );
    }

    function next(result) {
      const { data, errors } = result;
      if (errors && !data && passes(errors)) {
        again(errors);
        return;
      }
      tries = 0;
      isOver = !data || data.job?.isTerminal === true;
      if (!data?.jobEvents || isNew(data.jobEvents)) sink.next(result);
    }

    function isNew({ cursor, node }) {
      if (ids.has(node.id)) return false;
      ids.add(node.id);
      if (ids.size > REMEMBERED_IDS) ids.delete(ids.values().next().value);
      variables = { ...variables, after: cursor };
      return true;
    }

    function error(problem) {
      if (isFinal(problem)) sink.error(problem);
      else again(problem);
    }

    function complete() {
      // Neither events nor counts ever come to an end: the server does, and another one begins.
      if (isOver) sink.complete();
      else again('completed');
    }

    function again(reason) {
      onInterrupted(reason);
      current++;
      stop();
      // Longer each time, and not all clients at the same moment.
      const wait = Math.min(LONGEST_WAIT, 500 * 2 ** tries++);
      timer = setTimeout(begin, wait * (0.5 + Math.random() / 2));
    }

    begin();
    return () => {
      current++;
      clearTimeout(timer);
      stop();
    };
  }

  return { subscribe };
}
