// Runs graphile-worker: adds jobs of every outcome, works on them, and prints what was seen.
import pg from "pg";
import { Logger, run, runMigrations } from "graphile-worker";
import { database, end, ready, see, times, until } from "./watched.mjs";

const pgPool = new pg.Pool(database);
const logger = new Logger(() => () => {});
await runMigrations({ pgPool, logger });
await ready();

const taskList = {
  email: async (_payload, { job }) => {
    see(job.id, "running");
    see(job.id, "succeeded");
  },
  invoice: async (_payload, { job }) => {
    see(job.id, "running");
    if (job.attempts < 2) {
      see(job.id, "failed");
      throw new Error("ERP answered 503");
    }
    see(job.id, "succeeded");
  },
  report: async (_payload, { job }) => {
    see(job.id, "running");
    see(job.id, "failed");
    throw new Error("no data");
  },
};

const runner = await run({ pgPool, logger, taskList, concurrency: 4, pollInterval: 200, noHandleSignals: true });
const later = { runAt: new Date(Date.now() + 30 * 86_400_000) };
for (let n = 0; n < 20; n++) await runner.addJob("email", { to: `user${n}@example.com` });
for (let n = 0; n < 3; n++) {
  await runner.addJob("invoice", { n }, { maxAttempts: 5 });
  await runner.addJob("report", { n }, { maxAttempts: 1 });
}
await runner.addJob("email", { to: "later@example.com" }, later);
const calledOff = await runner.addJob("email", { to: "x@example.com" }, { ...later, jobKey: "off" });
await pgPool.query("SELECT graphile_worker.remove_job('off')");
see(calledOff.id, "canceled");
// Given up by hand: without having run, it has no attempt.
const given = await runner.addJob("email", { to: "y@example.com" }, later);
await pgPool.query("SELECT graphile_worker.permanently_fail_jobs(ARRAY[$1::bigint], 'given up')", [given.id]);
see(given.id, "canceled");

await until(() => times("succeeded") === 23 && times("failed") === 6);
await runner.stop();
await pgPool.end();
end();
