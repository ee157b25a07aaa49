"""What the page on TypeScript says of types and caches."""

import json
import re

from graphql import GraphQLObjectType, GraphQLScalarType, parse, validate

from schema.schema import core_schema
from tests.docs.pages import block, blocks, page
from tests.docs.test_programs import run

PAGE = page("docs/how-to/use-typescript.md")
BUILT_IN = {"String", "Int", "Float", "Boolean"}
# urql looks for no id in these, and their fields are asked for by what holds them.
KEYLESS = re.compile(r"(Connection|Edge|PageInfo|Payload|Conflict|Transition|Input)$")
ROOTS = {"Query", "Mutation", "Subscription"}


def test_every_scalar_has_its_type() -> None:
    (config,) = [each for each in blocks(PAGE, "ts") if "scalars" in each]
    listed = re.findall(r"^ {10}(\w+):", config, re.MULTILINE)
    scalars = [
        name for name, type_ in core_schema.type_map.items() if isinstance(type_, GraphQLScalarType)
    ]
    assert set(listed) == set(scalars) - BUILT_IN


def test_its_documents_are_valid() -> None:
    documents = [
        text
        for each in blocks(PAGE, "ts")
        for text in re.findall(r"graphql\(`(.*?)`\)", each, re.DOTALL)
    ]
    assert len(documents) == 3
    assert [validate(core_schema, parse(document)) for document in documents] == [[]] * 3


def test_every_type_without_an_id_has_no_key() -> None:
    listed = re.findall(r"(\w+): none", PAGE)
    without = [
        name
        for name, type_ in core_schema.type_map.items()
        if isinstance(type_, GraphQLObjectType) and "id" not in type_.fields
    ]
    wanted = {name for name in without if not name.startswith("__") and not KEYLESS.search(name)}
    assert set(listed) == wanted - ROOTS
    assert len(listed) == len(set(listed))


PAGES = """
import { ApolloClient, HttpLink, gql } from '@apollo/client';

const client = new ApolloClient({ cache, link: new HttpLink({ uri: 'URL/graphql' }) });

async function grown(selection) {
  const query = gql`query ($after: String, $status: [JobStatus!]) {
    jobs(first: 3, after: $after, filter: { status: $status }) {
      ${selection} pageInfo { hasNextPage endCursor }
    }
  }`;
  const variables = { status: ['FAILED'] };
  const watched = client.watchQuery({ query, variables });
  const running = watched.subscribe(() => {});
  const { data } = await watched.refetch();
  await watched.fetchMore({ variables: { after: data.jobs.pageInfo.endCursor } });
  const other = await client.query({ query, variables: { status: ['SUCCEEDED'] } });
  const { edges, nodes } = client.readQuery({ query, variables }).jobs;
  running.unsubscribe();
  return [(edges ?? nodes).length, (other.data.jobs.edges ?? other.data.jobs.nodes).length];
}

const edges = await grown('edges { node { id } }');
await client.clearStore();
const nodes = await grown('nodes { id }');
console.log(JSON.stringify({ edges, nodes }));
"""


async def test_pages_in_apollos_cache(demo_url: str) -> None:
    program = block(PAGE, "js", "Pages in a cache", 0)
    status, output, errors = await run("js", program + PAGES.replace("URL", demo_url))
    assert (status, errors) == (0, "")
    assert json.loads(output) == {"edges": [6, 3], "nodes": [3, 3]}
    assert (
        "| Apollo Client: `relayStylePagination` | pages are joined | **each page replaces" in PAGE
    )
