// Asks Joblens through the npm packages graphql-ws and graphql-sse, as they are, and prints as JSON
// what they got. Usage: clients.mjs PACKAGE_JSON ws|sse URL ORG
import { createRequire } from 'node:module';

const [packageJson, kind, url, org] = process.argv.slice(2);
const require = createRequire(packageJson);

function connect() {
  if (kind === 'sse') {
    const { createClient } = require('graphql-sse');
    return createClient({ url, headers: { 'Joblens-Org': org }, retryAttempts: 0 });
  }
  const { createClient } = require('graphql-ws');
  return createClient({
    url: url.replace('http', 'ws'),
    connectionParams: { 'Joblens-Org': org },
    retryAttempts: 0,
    webSocketImpl: require('ws'),
  });
}

const client = connect();

/** All results of an operation, or the first `most` of them, and how it ended. */
async function run(query, variables, most = Infinity, onResult = () => {}) {
  const results = [];
  try {
    for await (const result of client.iterate({ query, variables })) {
      results.push(result);
      onResult();
      if (results.length === most) return { results, end: 'stopped' };
    }
    return { results, end: 'complete' };
  } catch (error) {
    return { results, end: 'error', error: Array.isArray(error) ? error : String(error) };
  }
}

const create = `mutation Create($input: CreateJobInput!) {
  createJob(input: $input) { __typename ... on CreateJobPayload { job { id } } }
}`;
const watch = 'subscription { statusCounts(everySeconds: 0.2) { status count { value } } }';

const report = { query: await run('{ viewer { orgId } }') };
report.refused = await run('{ nothing }');
report.first = await run(watch, {}, 1);
let both;
await new Promise((resolve) => {
  both = run(watch, {}, 2, resolve);
});
report.mutation = await run(create, { input: { type: 'node', queue: kind } });
report.both = await both;
await client.dispose();
console.log(JSON.stringify(report));
