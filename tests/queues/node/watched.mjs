// What a worker's program has in common with the others: its database, its start, and what it saw.
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";

const url = new URL(process.argv[2].replace("@/", "@localhost/"));
export const database = {
  host: url.searchParams.get("host") ?? url.hostname,
  port: Number(url.searchParams.get("port") ?? url.port) || undefined,
  user: url.username,
  database: url.pathname.slice(1),
};

const seen = [];
export const see = (job, what) => seen.push([String(job), what]);
export const times = (what) => seen.filter((each) => each[1] === what).length;

export async function until(isSo) {
  while (!(await isSo())) await setTimeout(50);
}

export async function ready() {
  console.log("ready");
  for await (const _line of createInterface({ input: process.stdin })) return;
}

export function end() {
  console.log(JSON.stringify(seen));
  process.exit();
}
