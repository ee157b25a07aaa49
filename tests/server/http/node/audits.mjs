// Runs the audits of the npm package graphql-http, as they are, and prints as JSON what they found.
// Usage: audits.mjs PACKAGE_JSON URL
import { createRequire } from 'node:module';

const [packageJson, url] = process.argv.slice(2);
const { serverAudits } = createRequire(packageJson)('graphql-http');

const found = [];
for (const audit of serverAudits({ url })) {
  const { status, reason = null } = await audit.fn();
  found.push({ id: audit.id, name: audit.name, status, reason });
}
console.log(JSON.stringify(found));
