"""What variables and arguments hold in all, as often as they are used: bounded before coercion."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from schema.executable import EXECUTABLE_SCHEMA
from schema.execution.documents import Rules
from schema.execution.models import Operation, Request, Response
from schema.execution.run import prepare
from schema.limits.document_limits import DocumentLimits
from tests.schema.limits.entrances import ENTRANCES, Entrance, codes
from tests.support.rules import ANY_RULES
from tests.support.service import Service, serving

FILTERED = "query ($f: JobFilter) { jobs(filter: $f) { __typename } }"
CREATE = "mutation ($i: [CreateJobInput!]!) { createJobs(input: $i) { __typename } }"
F = "jobs(filter: $f) { __typename }"
LITERAL = "{type: {in: [" + '"t" ' * 50 + "]}}"
SEARCH = "query ($j: JSON) { a: jobs(filter: {payloadContains: $j}) { __typename } %s }"


def values(text: str, variables: dict[str, Any] | None = None) -> int:
    """Count the values by bisection: the largest limit that is too low, and one."""
    low, high = 0, 100_000
    while high - low > 1:
        middle = (low + high) // 2
        refused = prepare(
            Request(text, None, variables or {}),
            Rules(EXECUTABLE_SCHEMA, DocumentLimits(max_input_values=middle)),
        )
        low, high = (middle, high) if isinstance(refused, Response) else (low, middle)
    return high if high > 1 else 0


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        ("{ jobs { __typename } }", {}, 0),
        ('{ job(id: "x") { id } }', {}, 0),
        # An input object counts 10, and each item of a list 1.
        ("{ jobs(filter: {}) { __typename } }", {}, 10),
        ('{ jobs(filter: {ids: ["a", "b"]}) { __typename } }', {}, 12),
        ('{ jobs(filter: {ids: "a"}) { __typename } }', {}, 11),
        ('{ jobs(filter: {type: {in: ["a", "b"]}, not: {}}) { __typename } }', {}, 32),
        ("{ jobs(filter: {and: [{}, {}]}) { __typename } }", {}, 32),
        (FILTERED, {"f": {"and": [{}, {"type": {"in": ["a", "b"]}}]}}, 44),
        (FILTERED, {"f": {"and": {"ids": "a"}}}, 22),
        (FILTERED, {"f": None}, 0),
        (FILTERED, {}, 0),
        # Whatever is no filter, or no part of one, is refused for that.
        (FILTERED, {"f": [[[{}]]]}, 0),
        (FILTERED, {"f": {"nothing": [{}] * 100}}, 10),
        # As often as it is used; once if it is not.
        (f"query ($f: JobFilter) {{ a: {F} b: {F} c: {F} }}", {"f": {}}, 30),
        (f"query ($f: JobFilter) {{ a: {F} ... @skip(if: true) {{ b: {F} }} }}", {"f": {}}, 10),
        ("query ($f: JobFilter!) { jobs(filter: {and: [$f, $f]}) { __typename } }", {"f": {}}, 32),
        (f'query ($f: JobFilter = {{ids: ["a"]}}) {{ a: {F} b: {F} }}', {}, 22),
        (f'query ($f: JobFilter = {{ids: ["a"]}}) {{ a: {F} b: {F} }}', {"f": {}}, 20),
        # What execution merges, it coerces once; a fragment for each place that it is in.
        (f"query ($f: JobFilter) {{ ...A ...A ... {{ {F} }} }} fragment A on Query {{ {F} }}", {"f": {}}, 10),
        ("query ($n: [JobDimension!]!) { jobGroups(by: $n) { count } }", {"n": ["TYPE", "QUEUE"]}, 2),
        # JSON is as it comes.
        ("{ jobs(filter: {payloadContains: {a: [1, 2, {b: []}]}}) { __typename } }", {}, 10),
        (SEARCH % "", {"j": [[[]] * 1_000]}, 10),
        (CREATE, {"i": [{"type": "x", "payload": [1] * 100}] * 3}, 33),
        (CREATE, {"i": {"type": "x"}}, 11),
        ("subscription ($f: JobFilter) { statusCounts(filter: $f) { status } }", {"f": {"ids": ["a"]}}, 11),
    ],
)  # fmt: skip
def test_the_values_of(text: str, variables: dict[str, Any], expected: int) -> None:
    assert values(text, variables) == expected


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        # A dashboard's counts, each of 50 values; a thousand jobs at once; pages of ids.
        (
            "query ($f: JobFilter) {"
            + " ".join(f"a{n}: jobs(filter: $f) {{ count {{ value }} }}" for n in range(12))
            + "}",
            {"f": {"type": {"in": [f"type.{n}" for n in range(50)]}}},
        ),
        (
            f"{{ {' '.join(f'a{n}: jobs(filter: {LITERAL}) {{ __typename }}' for n in range(12))} }}",
            {},
        ),
        (
            CREATE,
            {
                "i": [
                    {
                        "type": "email.send",
                        "queue": "mail",
                        "priority": n,
                        "maxAttempts": 3,
                        "backoffPolicy": "FIXED",
                        "idempotencyKey": f"key {n}",
                        "requestedBy": "web",
                        "scheduledAt": "2026-01-01T00:00:00Z",
                        "payload": {"to": "somebody", "body": "x" * 500, "items": [1] * 50},
                    }
                    for n in range(1_000)
                ]
            },
        ),
        ("query ($i: [ID!]!) { nodes(ids: $i) { id } jobs(filter: {ids: $i}) { __typename } }", {"i": ["x"] * 200}),
        (FILTERED, {"f": {"ids": ["x"] * 2_000}}),
        (FILTERED, {"f": {"or": [{"priority": {"eq": n}} for n in range(499)]}}),
        (SEARCH % "b: jobs(filter: {payloadContains: $j}) { __typename }", {"j": ["x" * 500_000]}),
    ],
)  # fmt: skip
def test_reasonable_requests_pass(text: str, variables: dict[str, Any]) -> None:
    assert isinstance(prepare(Request(text, None, variables), ANY_RULES), Operation)


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Service]:
    small = {"max_input_values": "100", "max_body_bytes": "10000"}
    async with serving(database_url, **small) as running:
        yield running


def alike(count: int) -> str:
    fields = " ".join(f"a{n}: jobs(filter: $f) {{ __typename }}" for n in range(count))
    return f"query ($f: JobFilter) {{ {fields} }}"


@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
async def test_values_are_bounded(service: Service, entrance: Entrance) -> None:
    given = {"f": {"type": {"eq": "x"}}}
    within = await entrance(service, {"query": alike(5), "variables": given})
    assert codes(within) == []
    (error,) = (await entrance(service, {"query": alike(6), "variables": given}))["errors"]
    told = {"code": "LIMIT_EXCEEDED", "limit": "inputValues", "max": 100, "actual": 120}
    assert error["extensions"] == told
    assert "120 values; the limit is 100" in error["message"]


@pytest.mark.parametrize("entrance", ["SSE", "WebSocket"])
async def test_values_of_a_subscription_are_bounded(service: Service, entrance: str) -> None:
    text = "subscription ($f: JobFilter) { statusCounts(filter: $f) { status } }"
    ask = ENTRANCES[entrance]
    within = {"query": text, "variables": {"f": {"and": [{}] * 8}}}
    assert codes(await ask(service, within)) == []
    beyond = {"query": text, "variables": {"f": {"and": [{}] * 9}}}
    (error,) = (await ask(service, beyond))["errors"]
    assert error["extensions"]["limit"] == "inputValues"


@pytest.mark.parametrize("entrance", [ENTRANCES["POST"], ENTRANCES["WebSocket"]])
async def test_repeated_bytes_are_bounded(service: Service, entrance: Entrance) -> None:
    twice = SEARCH % "b: jobs(filter: {payloadContains: $j}) { __typename }"
    given = {"j": "x" * 9_500}
    assert codes(await entrance(service, {"query": SEARCH % "", "variables": given})) == []
    assert codes(await entrance(service, {"query": twice, "variables": given})) == []
    thrice = twice.replace("{payloadContains: $j}", "{payloadContains: [$j, $j]}")
    beyond = {"query": thrice, "variables": {"j": "x" * 5_000}}
    (error,) = (await entrance(service, beyond))["errors"]
    told = {"code": "LIMIT_EXCEEDED", "limit": "inputBytes", "max": 10_000, "actual": 15_006}
    assert error["extensions"] == told


def test_counting_ends_at_the_bound() -> None:
    """Whatever lies behind it, is not looked at."""

    class Watched(list[Any]):
        looked_at = 0

        def __iter__(self) -> Any:
            for item in super().__iter__():
                Watched.looked_at += 1
                yield item

    lists = {"and": [{"or": Watched([{}] * 150)} for _ in range(1_000)]}
    refused = prepare(Request(FILTERED, None, {"f": lists}), ANY_RULES)
    assert isinstance(refused, Response)
    assert refused.errors[0]["extensions"]["limit"] == "inputValues"
    assert Watched.looked_at <= 1_500


@pytest.mark.parametrize("depth", [300, 5_000])
def test_depth_does_no_harm(depth: int) -> None:
    nested: Any = {}
    for _ in range(depth):
        nested = {"not": nested}
    for text in (FILTERED, alike(2)):
        answer = prepare(Request(text, None, {"f": nested}), ANY_RULES)
        assert isinstance(answer, Operation) or answer.codes() <= {
            "LIMIT_EXCEEDED",
            "BAD_USER_INPUT",
        }
