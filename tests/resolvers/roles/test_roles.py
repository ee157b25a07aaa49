"""Roles: what each may do, and how what it may not do is refused."""

import re
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest
from graphql import GraphQLField, GraphQLObjectType, GraphQLString
from strawberry.types.field import StrawberryField

from resolvers.errors import ErrorCode
from resolvers.viewer import Role, Viewer
from schema.execution.models import Response
from schema.permissions import declared_role
from schema.schema import core_schema
from server.http.errors import HTTP_STATUSES
from server.http.responses import GRAPHQL_RESPONSE, write
from tests.resolvers.roles.asking import ADMIN, OPERATOR, VIEWER, WRITER, Asking
from tests.support.ledger import events, insert, job

assert isinstance(core_schema.mutation_type, GraphQLObjectType)
assert isinstance(core_schema.subscription_type, GraphQLObjectType)
MUTATIONS = core_schema.mutation_type.fields
NEEDED = {
    "createJob": WRITER,
    "createJobs": WRITER,
    "transitionJob": WRITER,
    "transitionJobs": WRITER,
    "recordJobEvent": WRITER,
    "cancelJob": OPERATOR,
    "retryJob": OPERATOR,
    "recordFacts": WRITER,
    "rerunJob": OPERATOR,
    "rescheduleJob": OPERATOR,
    "cancelJobs": OPERATOR,
    "retryJobs": OPERATOR,
    "deleteJobs": ADMIN,
}
# Of a job that exists or not, whose status allows it or not.
CALLS = {
    "createJob": 'createJob(input: {type: "t", idempotencyKey: "taken"}) { __typename }',
    "createJobs": 'createJobs(input: [{type: "t"}]) { __typename }',
    "transitionJob": 'transitionJob(input: {id: "%s", to: RUNNING}) { __typename }',
    "transitionJobs": 'transitionJobs(input: [{id: "%s", to: RUNNING}]) { __typename }',
    "recordFacts": 'recordFacts(source: {name: "s", kind: "k"}, facts: []) { recorded }',
    "recordJobEvent": 'recordJobEvent(input: {id: "%s", detail: {a: 1}}) { __typename }',
    "cancelJob": 'cancelJob(id: "%s") { __typename }',
    "retryJob": 'retryJob(id: "%s") { __typename }',
    "rerunJob": 'rerunJob(id: "%s") { __typename }',
    "rescheduleJob": 'rescheduleJob(id: "%s") { __typename }',
    "cancelJobs": 'cancelJobs(filter: {ids: ["%s"]}) { changed }',
    "retryJobs": 'retryJobs(filter: {ids: ["%s"]}) { changed }',
    "deleteJobs": 'deleteJobs(filter: {ids: ["%s"]}) { deleted }',
}
ROW = job(0, id=UUID(int=1), idempotency_key="taken")
READS = [
    "{ __typename }",
    "{ viewer { subject orgName } }",
    "{ server { version now pageSizeMax maxCost } }",
    "{ __schema { queryType { name } } }",
    "{ jobs { nodes { id } } }",
    f'{{ job(id: "{ROW["id"]}") {{ id }} }}',
]
WATCHES = [
    "subscription { jobEvents { cursor } }",
    "subscription { errorGroupSeen { cursor } }",
    "subscription { statusCounts { status } }",
    f'subscription {{ job(id: "{ROW["id"]}") {{ id }} }}',
]


@pytest.fixture(scope="module", autouse=True)
async def _ledger(database_url: str) -> None:
    await insert(database_url, [ROW], events(ROW, "queued"))


def call(name: str, job_id: Any) -> str:
    text = CALLS[name]
    return f"mutation {{ {text % job_id if '%s' in text else text} }}"


def test_every_mutation_declares_its_role_and_says_so() -> None:
    assert {name: declared_role(field) for name, field in MUTATIONS.items()} == NEEDED
    for name, field in MUTATIONS.items():
        assert (field.description or "").endswith(f" Role: {NEEDED[name].name}.")


def test_a_mutation_that_declares_none_would_be_seen() -> None:
    bare = GraphQLField(GraphQLString, extensions={"strawberry-definition": StrawberryField()})
    with pytest.raises(KeyError):
        declared_role(bare)


@pytest.mark.parametrize(("held", "asked"), list(product(Role, Role)))
def test_a_role_includes_those_before_it(held: Role, asked: Role) -> None:
    roles = [VIEWER, WRITER, OPERATOR, ADMIN]
    viewer = Viewer(uuid4(), "x", (held,))
    assert viewer.may(asked) == (roles.index(held) >= roles.index(asked))
    assert Viewer(uuid4(), "x", (VIEWER, held)).may(asked) == viewer.may(asked)
    assert not Viewer(uuid4(), "x", ()).may(asked)


@pytest.mark.parametrize(("name", "role"), list(product(NEEDED, Role)))
async def test_a_mutation_is_for_its_role(admin: Asking, name: str, role: Role) -> None:
    viewer = admin.as_(role)
    if viewer.viewer.may(NEEDED[name]):
        assert (await viewer.data(call(name, uuid4())))[name]
        return
    refused = ("FORBIDDEN", f"'{name}' requires the role {NEEDED[name].name}.")
    with viewer.recorded() as statements:
        assert await viewer.error(call(name, ROW["id"])) == refused
        assert await viewer.error(call(name, uuid4())) == refused
        # Not even whether an id is one is looked at.
        assert await viewer.error(call(name, "x")) == refused
    assert statements == []


async def test_nothing_of_an_operation_runs_if_a_part_is_refused(admin: Asking) -> None:
    both = """mutation ($yes: Boolean!) {
      createJob(input: {type: "half"}) { __typename }
      ...F @include(if: $yes)
    }
    fragment F on Mutation { ... on Mutation { calledOff: cancelJobs(filter: {}) { changed } } }"""
    writer = admin.as_(WRITER)
    with writer.recorded() as statements:
        code, message = await writer.error(both, {"yes": True})
    assert (code, message, statements) == (
        "FORBIDDEN",
        "'cancelJobs' requires the role OPERATOR.",
        [],
    )
    # What is left out needs no role.
    data = await writer.data(both, {"yes": False})
    assert data == {"createJob": {"__typename": "CreateJobPayload"}}
    half = '{ jobs(filter: {type: {eq: "half"}}) { count { value } } }'
    assert (await writer.data(half))["jobs"]["count"]["value"] == 1


@pytest.mark.parametrize("query", READS)
async def test_nothing_is_read_without_a_role(admin: Asking, query: str) -> None:
    nobody = admin.as_()
    with nobody.recorded() as statements:
        assert await nobody.error(query) == ("FORBIDDEN", "This requires the role VIEWER.")
    assert statements == []
    assert await admin.as_(VIEWER).data(query)


def test_every_subscription_is_there() -> None:
    fields = {re.findall(r"\w+", query)[1] for query in WATCHES}
    assert fields == set(core_schema.subscription_type.fields)


@pytest.mark.parametrize("query", WATCHES)
async def test_nothing_is_watched_without_a_role(admin: Asking, query: str) -> None:
    refused = await admin.as_().subscribe(query)
    assert isinstance(refused, Response)
    assert refused.refused
    assert refused.codes() == {"FORBIDDEN"}
    allowed = await admin.as_(VIEWER).subscribe(query)
    assert not isinstance(allowed, Response)
    await allowed.aclose()


async def test_a_refusal_is_a_403(admin: Asking) -> None:
    response = await admin.as_(VIEWER).response(call("cancelJob", ROW["id"]))
    assert (
        write(response, GRAPHQL_RESPONSE).status_code == HTTP_STATUSES[ErrorCode.FORBIDDEN] == 403
    )


async def test_the_viewer_knows_their_roles(admin: Asking) -> None:
    data = await admin.as_(WRITER, VIEWER).data("{ viewer { roles } }")
    assert data == {"viewer": {"roles": ["WRITER", "VIEWER"]}}


async def test_a_job_allows_each_role_its_own(admin: Asking, database_url: str) -> None:
    canceled = job(status="canceled")
    await insert(database_url, [canceled], events(canceled, "queued", "canceled"))
    query = "query ($id: ID!) { job(id: $id) { allowedTransitions } }"
    allowed = {
        ROW["id"]: {VIEWER: [], WRITER: ["RUNNING", "CANCELED"]},
        canceled["id"]: {VIEWER: [], WRITER: [], OPERATOR: ["QUEUED"]},
    }
    for job_id, by_role in allowed.items():
        for role, statuses in by_role.items():
            data = await admin.as_(role).data(query, {"id": str(job_id)})
            assert data["job"]["allowedTransitions"] == statuses
