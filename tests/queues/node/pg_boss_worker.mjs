// Runs pg-boss: adds jobs of every outcome, works on them, and prints what was seen.
import { setTimeout } from "node:timers/promises";
import { PgBoss } from "pg-boss";
import { database, end, ready, see, times, until } from "./watched.mjs";

const boss = new PgBoss({ ...database, superviseIntervalSeconds: 1, monitorIntervalSeconds: 1 });
boss.on("error", (error) => console.error(error));
await boss.start();
for (const queue of ["email", "invoice", "report", "video", "slow"]) await boss.createQueue(queue);
await ready();

const now = { retryLimit: 0 };
const later = { startAfter: new Date(Date.now() + 30 * 86_400_000) };
for (let n = 0; n < 20; n++) await boss.send("email", { to: `user${n}@example.com` }, now);
for (let n = 0; n < 3; n++) {
  await boss.send("invoice", { n }, { retryLimit: 4, retryDelay: 1 });
  await boss.send("report", { n }, now);
}
await boss.send("slow", {}, { ...now, expireInSeconds: 1 });
await boss.send("email", { to: "later@example.com" }, later);
const calledOff = await boss.send("email", { to: "x@example.com" }, later);
await boss.cancel("email", calledOff);
see(calledOff, "canceled");
const stopped = await boss.send("video", {}, now);

const options = { pollingIntervalSeconds: 0.5, includeMetadata: true };
await boss.work("email", { ...options, batchSize: 20 }, async (jobs) => {
  for (const job of jobs) see(job.id, "running");
  for (const job of jobs) see(job.id, "succeeded");
});
await boss.work("invoice", options, async ([job]) => {
  see(job.id, "running");
  if (job.retryCount < 1) {
    see(job.id, "failed");
    throw new Error("ERP answered 503");
  }
  see(job.id, "succeeded");
});
await boss.work("report", options, async ([job]) => {
  see(job.id, "running");
  see(job.id, "failed");
  throw new Error("no data");
});
await boss.work("slow", options, async ([job]) => {
  see(job.id, "running");
  await setTimeout(3_000);
  see(job.id, "failed");
});
await boss.work("video", options, async ([job]) => {
  see(job.id, "running");
  await boss.cancel("video", job.id);
  see(job.id, "canceled");
});

await until(() => times("succeeded") === 23 && times("failed") === 7 && times("canceled") === 2);
// What was seen last is not recorded yet.
await boss.stop({ graceful: true });
end();
