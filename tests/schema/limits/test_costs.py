"""What queries cost: exact sums, and what is told of them."""

from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type, is_leaf_type, is_list_type, is_non_null_type

from schema.executable import EXECUTABLE_SCHEMA
from schema.execution.documents import Rules
from schema.execution.models import Request, Response
from schema.execution.run import prepare
from schema.limits.document_limits import DocumentLimits
from schema.schema import core_schema
from tests.resolvers.live.clients import stream
from tests.support.ledger import events, insert, job
from tests.support.rules import ANY_RULES
from tests.support.service import Service

RULES = Rules(EXECUTABLE_SCHEMA, DocumentLimits(max_cost=10**9))
ID = "00000000-0000-7000-8000-00000000ffff"
EVENTS = "events(first: 3) { nodes { id } }"
BUCKETS = 'timeline(from: "2026-01-01T00:00:00Z", until: "%s", bucket: HOUR) { start }'
CHANGED = "__typename ... on JobPayload { job { id } } ... on IllegalTransition { job { id } }"


def cost(text: str, variables: dict[str, Any] | None = None) -> int:
    operation = prepare(Request(text, None, variables or {}), RULES)
    assert not isinstance(operation, Response), operation.errors
    return operation.cost


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ __typename viewer { subject roles orgName } server { now } }", 0),
        (f'{{ job(id: "{ID}") {{ id }} }}', 1),
        (f'{{ node(id: "{ID}") {{ id }} }}', 1),
        # Of two types only the dearer one can come.
        (f'{{ node(id: "{ID}") {{ ... on Job {{ {EVENTS} }} ... on JobEvent {{ job {{ id }} }} }} }}', 4),
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', 3),
        ('{ nodes(ids: "a") { id } }', 1),
        ("{ jobs { nodes { id } } }", 50),
        ("{ jobs(first: null) { nodes { id } } }", 50),
        ("{ jobs(last: 7) { edges { cursor node { id } } } }", 7),
        ("{ jobs(first: 7) { nodes { id } edges { node { id } } } }", 14),
        ("{ jobs(first: 7) { pageInfo { hasNextPage } count { value } } }", 1),
        (f"{{ jobs(first: 7) {{ nodes {{ {EVENTS} }} }} }}", 7 + 7 * 3),
        (f"{{ jobs(first: 7) {{ edges {{ node {{ {EVENTS} }} }} }} }}", 7 + 7 * 3),
        ("{ jobs(first: 7) { nodes { latestEvent { job { id } } } } }", 7 + 7 + 7),
        ("{ jobs(first: 7) { nodes { attempts { number } } } }", 7 + 7 * 50),
        ('{ jobs(first: 7) { nodes { a: at(time: "2026-01-01T00:00:00Z") { status } b: at(time: "2026-01-02T00:00:00Z") { status } } } }', 7 + 2 * 7),
        # Beyond a page's bounds there is only an error to come.
        ("{ jobs(first: 100000) { nodes { id } } }", 200),
        ("{ jobs(first: -1) { nodes { id } } }", 0),
        ("{ jobs(first: 0) { nodes { events { nodes { id } } } } }", 0),
        ("{ statusCounts { status count { value } } }", 6),
        ("{ jobGroups(by: [TYPE]) { count } }", 50),
        ("{ jobGroups(by: [TYPE], first: 4) { statusCounts { count { value } } } }", 4 + 4 * 6),
        ("{ " + BUCKETS % "2026-01-02T00:00:00Z" + " }", 26),
        ("{ " + BUCKETS % "2126-01-02T00:00:00Z" + " }", 1000),
        ("{ queues { name } }", 200),
        ("{ queues(first: null) { name } }", 200),
        ("{ queues(first: 8) { due { value } running { value } } }", 8 + 8 * 2),
        # What execution merges, it does once.
        (f"{{ jobs(first: 7) {{ nodes {{ {EVENTS} ...F ... {{ {EVENTS} }} }} }} }} fragment F on Job {{ {EVENTS} id }}", 28),
        ("{ jobs(first: 2) { nodes { id } } jobs(first: 2) { nodes { type } } a: jobs(first: 3) { nodes { id } } }", 5),
        # Conditions are obeyed.
        ("{ jobs(first: 2) @skip(if: true) { nodes { id } } jobEvents(first: 3) @include(if: true) { nodes { id } } }", 3),
        # A mutation costs what it changes, and what it tells of it.
        ('mutation { createJob(input: {type: "x"}) { __typename } }', 1),
        ('mutation { createJobs(input: [{type: "x"}, {type: "y"}]) { ... on CreateJobsPayload { jobs { id } } } }', 4),
        ('mutation { transitionJobs(input: [{id: "x", to: FAILED}, {id: "y", to: FAILED}]) { ... on TransitionJobsPayload { results { ... on JobPayload { job { id } } ... on IllegalTransition { message } } } } }', 4),
        (f'mutation {{ cancelJob(id: "{ID}") {{ {CHANGED} }} }}', 2),
        ("mutation { cancelJobs(filter: {}) { changed } }", 100),
        ("mutation { retryJobs(filter: {}, limit: 5) { jobs { latestEvent { id } } matched { value } } }", 16),
        ("mutation { deleteJobs(filter: {}, limit: 5) { deleted matched { value } } }", 6),
        ("mutation { cancelJobs(filter: {}, limit: 9, dryRun: true) { skips { count } samples { latestEvent { id } } } }", 9 + 5 + 5),
        # A subscription costs what one of its events does.
        ("subscription { jobEvents { node { job { id } } } }", 2),
        ("subscription { statusCounts { count { value } } }", 6),
    ],
)  # fmt: skip
def test_the_cost_of(text: str, expected: int) -> None:
    assert cost(text) == expected


def test_variables_and_their_defaults() -> None:
    text = "query ($n: Int = 3, $m: Int, $with: Boolean!) { jobs(first: $n) { nodes { id events(last: $m) @include(if: $with) { nodes { id } } } } }"
    assert cost(text, {"with": False}) == 3
    assert cost(text, {"with": True}) == 3 + 3 * 50
    assert cost(text, {"with": True, "n": 4, "m": 2}) == 4 + 4 * 2
    assert cost(text, {"with": True, "n": None, "m": 0}) == 50
    assert cost("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["a"] * 9}) == 9
    text = "query ($a: ID!) { nodes(ids: [$a, $a]) { id } }"
    assert cost(text, {"a": "a"}) == 2
    text = 'query ($u: DateTime!, $b: TimeBucketSize!) { timeline(from: "2026-01-01T00:00:00Z", until: $u, bucket: $b) { start } }'
    assert cost(text, {"u": "2026-01-08T00:00:00Z", "b": "DAY"}) == 9
    assert cost(text, {"u": "no time", "b": "DAY"}) == 1000


@pytest.mark.parametrize("value", ["x", True, [1], {}, 1.5, -(2**63), 2**63])
def test_variables_of_other_types_do_no_harm(value: object) -> None:
    assert cost("query ($n: Int) { jobs(first: $n) { nodes { id } } }", {"n": value}) <= 200


def test_introspection_costs_its_lists() -> None:
    types = len(core_schema.type_map)
    assert cost("{ __schema { types { name } queryType { name } } }") == types
    assert cost("{ __schema { types { fields { name } } } }") > 2 * types


def test_the_sum_is_told_the_largest_first() -> None:
    refused = prepare(
        Request("{ jobs(first: 200) { nodes { events(first: 100) { nodes { id } } } } }"), ANY_RULES
    )
    assert isinstance(refused, Response)
    (error,) = refused.errors
    assert error["extensions"] == {
        "code": "COST_EXCEEDED",
        "limit": "cost",
        "max": 20000,
        "actual": 20200,
    }
    assert "200 x 100 events + 1 x 200 jobs = 20200 objects" in error["message"]


def test_a_long_sum_is_cut_short() -> None:
    names = " ".join(f"a{n}: jobs(first: {n}) {{ nodes {{ id }} }}" for n in range(193, 200))
    refused = prepare(
        Request(f"{{ {names} }}"), Rules(EXECUTABLE_SCHEMA, DocumentLimits(max_cost=1))
    )
    assert isinstance(refused, Response)
    message = refused.errors[0]["message"]
    assert "1 x 199 a199 + " in message
    assert "a193" not in message
    assert f"… = {sum(range(193, 200))} objects" in message


def test_every_list_of_objects_has_a_size() -> None:
    lists = set()
    for type_ in core_schema.type_map.values():
        for name, field in type_.fields.items() if isinstance(type_, GraphQLObjectType) else ():
            nullable = field.type.of_type if is_non_null_type(field.type) else field.type
            if is_list_type(nullable) and not is_leaf_type(get_named_type(field.type)):
                lists.add((type_.name, name))
    sizes = EXECUTABLE_SCHEMA.list_sizes
    assert lists - set(sizes.sizes) - sizes.inherited == set()


async def test_what_was_returned_is_told(service: Service, database_url: str) -> None:
    rows = [job(n) for n in range(3)]
    await insert(
        database_url, rows, [each for row in rows for each in events(row, "queued", "running")]
    )
    response = await service.post(
        "{ jobs(first: 5) { nodes { id events(first: 4) { nodes { job { id } } } } count { value } } }"
    )
    told = response.json()["extensions"]
    assert told == {"cost": {"requested": 5 + 5 * 4 + 5 * 4 + 1, "returned": 3 + 6 + 6 + 1}}
    # Where there is nothing to count, nothing is told.
    assert "extensions" not in (await service.post("{ viewer { subject } }")).json()


async def test_each_event_of_a_subscription_tells_its_own(service: Service) -> None:
    async with stream(service, "subscription { statusCounts { count { value } } }") as told:
        name, body = await told.event()
    assert (name, body["extensions"]) == ("next", {"cost": {"requested": 6, "returned": 6}})
