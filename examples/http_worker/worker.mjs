// A worker over HTTP, in Node without packages: runs the jobs of a queue that are due. Take it along,
// and put your own work into `RUNS`.
import { hostname } from "node:os";

const URL = process.env.URL ?? "http://127.0.0.1:8000/graphql";
const TOKEN = process.env.TOKEN ?? "";
const QUEUE = process.env.QUEUE ?? "default";
// Tells this process from others: who runs what, and who fell silent.
const WORKER = (process.env.WORKER ?? `${hostname()}:${process.pid}`).slice(0, 255);
// A job without an event for so long is lost. Runs note that they go on far more often.
const SILENT_SECONDS = Number(process.env.SILENT_SECONDS ?? 900);
const IDLE_SECONDS = 2;
const LONGEST_WAIT = 30;
const LARGEST_RESULT = 250_000;
// What passes: the same request may succeed a little later.
const PASSING = [
  ...["UNAVAILABLE", "TIMEOUT", "COMMIT_UNCERTAIN"],
  ...["OVERLOADED", "RATE_LIMITED", "TOO_MANY_REQUESTS"],
];

const JOBS = `query ($filter: JobFilter!, $orderBy: JobOrder!, $first: Int!) {
  jobs(filter: $filter, orderBy: $orderBy, first: $first) {
    nodes { id type payload priority attempt maxAttempts }
  }
}`;
const CHANGE = `mutation ($input: TransitionJobInput!) {
  transitionJob(input: $input) {
    __typename
    ... on JobPayload { job { id attempt maxAttempts } }
    ... on IllegalTransition { current }
    ... on InvalidInput { field }
    ... on UserError { message }
  }
}`;
const NOTE = `mutation ($input: RecordJobEventInput!) {
  recordJobEvent(input: $input) { __typename }
}`;

const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Ask until there is an answer: longer waits each time, and not all workers at once. */
async function ask(query, variables) {
  for (let wait = 0.5; ; wait = Math.min(LONGEST_WAIT, wait * 2)) {
    const { result, passing, retryAfter } = await askOnce(query, variables);
    if (!passing) return result;
    console.error(`no answer: ${passing}`);
    await sleep(Math.max(wait * (0.5 + Math.random() / 2), retryAfter ?? 0));
  }
}

/** Get the one field of the data, or why there is no answer now; throws what is wrong. */
async function askOnce(query, variables) {
  let response, text;
  try {
    response = await fetch(URL, {
      method: "POST",
      headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(60_000),
    });
    text = await response.text();
  } catch (problem) {
    return { passing: problem.cause ?? problem };
  }
  const words = `${response.status}: ${text.slice(0, 500)}`;
  if ([429, 502, 503, 504].includes(response.status)) {
    return { passing: words, retryAfter: Number(response.headers.get("Retry-After") ?? 0) };
  }
  if (!response.ok) throw new Error(words);
  const { data, errors } = JSON.parse(text);
  for (const { message, extensions } of errors ?? []) {
    if (PASSING.includes(extensions.code)) return { passing: message };
    throw new Error(message);
  }
  return { result: Object.values(data)[0] };
}

/** Change a job's status if it still has the one before. */
async function change(id, from, to, fields = {}) {
  const answer = await ask(CHANGE, { input: { id, from, to, ...fields } });
  if (answer.__typename !== "JobPayload") console.error(`${to}: ${answer.message}`);
  return answer;
}

/** List the jobs of this worker's queue and types that meet a condition. */
async function listJobs(condition, field, direction, first) {
  const filter = { queue: { eq: QUEUE }, type: { in: Object.keys(RUNS) }, ...condition };
  return (await ask(JOBS, { filter, orderBy: { field, direction }, first })).nodes;
}

/** Get the jobs that are due next: those of the highest priority, the oldest first. */
async function nextJobs() {
  const due = { status: ["QUEUED"], waitingLongerThan: 0 };
  const [highest] = await listJobs(due, "PRIORITY", "DESC", 1);
  if (!highest) return [];
  // Jobs of one priority are in the order of their ids: DESC begins with the newest of them.
  return listJobs({ ...due, priority: { eq: highest.priority } }, "PRIORITY", "ASC", 10);
}

/** Do the work, and say how its run ends. */
async function outcome(job) {
  // With a detail, it moves `updatedAt`, too: the run is not silent.
  const note = (fraction, detail) =>
    ask(NOTE, { input: { id: job.id, detail, progress: { fraction } } });
  try {
    const result = await RUNS[job.type](job.payload, note);
    // What is no JSON is a failure, and so is what no request has room for.
    if (JSON.stringify(result)?.length > LARGEST_RESULT) throw new RangeError("The result is too large.");
    return { to: "SUCCEEDED", fields: { result } };
  } catch (error) {
    const errorMessage = String(error?.message ?? error).slice(0, 100_000);
    return { to: "FAILED", fields: { errorCode: String(error?.name ?? "Error"), errorMessage } };
  }
}

/** Start a job, do its work, and record what came of it. */
async function run(job) {
  const started = await change(job.id, "QUEUED", "RUNNING", { worker: WORKER });
  // Another worker has it, or it was canceled; or an answer was lost: leave it.
  if (started.__typename !== "JobPayload") return;
  const { attempt } = started.job;
  let { to, fields } = await outcome(job);
  let answer = await change(job.id, "RUNNING", to, { attempt, ...fields });
  if (answer.__typename === "InvalidInput") {
    // The result cannot be taken: a failure, too.
    to = "FAILED";
    fields = { errorCode: "InvalidResult", errorMessage: `${answer.field}: ${answer.message}` };
    answer = await change(job.id, "RUNNING", to, { attempt, ...fields });
  }
  // FAILED was met: an earlier call had arrived, whose answer was lost.
  const hasEnded = answer.__typename === "JobPayload" || answer.current === "FAILED";
  if (to === "FAILED" && hasEnded) await settle(started.job);
}

/** After a failure, queue the job again, or give it up after its last attempt. */
async function settle({ id, attempt, maxAttempts }) {
  await change(id, "FAILED", attempt < maxAttempts ? "QUEUED" : "DEAD_LETTER", { attempt });
}

/** List jobs that have this status, and no event for too long: `updatedAt` is the last one's. */
function listSilent(status) {
  const since = new Date(Date.now() - SILENT_SECONDS * 1000).toISOString();
  return listJobs({ status: [status], updatedAt: { lt: since } }, "CREATED_AT", "ASC", 100);
}

/** Give back the jobs of workers that died. `attempt` keeps a run that has begun since safe. */
async function giveBackLost() {
  for (const job of await listSilent("RUNNING")) {
    const { id, attempt, maxAttempts } = job;
    if (attempt < maxAttempts) {
      await change(id, "RUNNING", "QUEUED", { attempt });
      continue;
    }
    // Given back, it would run for ever: perhaps it is what kills its worker each time.
    const lost = { errorCode: "WORKER_LOST", errorMessage: "Its worker stopped reporting." };
    await change(id, "RUNNING", "FAILED", { attempt, ...lost });
    await settle(job);
  }
  for (const job of await listSilent("FAILED")) await settle(job); // its worker died just after
}

/** Do the work of a job of the type invoice.render. */
async function render(payload, note) {
  await note(0.5, { pages: payload.pages });
  return { pages: payload.pages };
}

const RUNS = { "invoice.render": render };

for (;;) {
  await giveBackLost();
  const jobs = await nextJobs();
  for (const job of jobs) await run(job);
  if (jobs.length === 0) await sleep(IDLE_SECONDS);
}
