// Contestant (c): PostGraphile's Amber preset on the ledger, with no more than it needs.
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";

const { host, port } = parseArgs({ options: { host: { type: "string" }, port: { type: "string" } } }).values;
const connectionString = process.env.BENCHMARK_DATABASE_URL;
const server = createServer();
await postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString, schemas: ["public"] })],
  grafserv: { graphqlPath: "/graphql", watch: false },
})
  .createServ(grafserv)
  .addTo(server);
server.listen(Number(port), host);
