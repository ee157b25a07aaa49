"""How large one answer may be, by every way that it can grow and every way that it can go."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any
from uuid import uuid4

import pytest

from resolvers.viewer import Role
from tests.conftest import FreshDatabase
from tests.resolvers.live.clients import socket, stream
from tests.schema.limits.entrances import ENTRANCES, Entrance, codes
from tests.server.auth.minting import mint
from tests.support.ledger import events, insert, job
from tests.support.service import Service, serving

MOST = 20_000
TEXT = "x" * 1_000
JOBS = 10
CREATE = """mutation ($i: [CreateJobInput!]!) {
  createJobs(input: $i) { ... on CreateJobsPayload { jobs { type payload } } } }"""
TOLD = {"code": "RESPONSE_TOO_LARGE", "limit": "responseBytes", "max": MOST}


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Service]:
    rows = [
        job(
            n,
            status="failed",
            payload={"text": TEXT},
            last_error_message=TEXT,
            idempotency_key=f"{n}".rjust(250, "k"),
        )
        for n in range(JOBS)
    ]
    detail = {"text": TEXT, "error_message": TEXT}
    steps = [e for row in rows for e in events(row, "queued", "running", "failed", detail=detail)]
    await insert(database_url, rows, steps)
    async with serving(database_url, max_response_bytes=str(MOST)) as running:
        yield running


def nodes(selection: str, first: int = JOBS) -> str:
    return f"jobs(first: {first}) {{ nodes {{ {selection} }} }}"


def aliased(field: str, count: int, name: str = "a") -> str:
    return " ".join(f"{name}{n}: {field}" for n in range(count))


TOO_LARGE = {
    "JSON under several names": nodes(aliased("payload", 2)),
    "JSON of several fields": f"{nodes('payload')} b: {nodes('payload')}",
    "JSON of events": nodes("events { nodes { detail } }"),
    "JSON and text together": nodes("payload lastErrorMessage"),
    "messages": nodes(aliased("lastErrorMessage", 2)),
    "errors of attempts": nodes(aliased("attempts { errorMessage }", 2)),
    "names of jobs": nodes(aliased("idempotencyKey", 9)),
    "long names of fields": nodes(aliased("status", 3, "n" * 1_000)),
    "long names of objects": nodes(aliased("latestEvent { id }", 3, "n" * 1_000)),
    "long names in fragments": f"{aliased(nodes('...F'), 3)}",
    "many fields": aliased(nodes("id type queue createdAt updatedAt startedAt finishedAt"), 20),
    "the schema": "__schema { types { name description fields { name description } } }",
    "places of errors": aliased(f"nodes(ids: {'[' + '1 ' * 100 + ']'}) {{ id }}", 4),
    "names in paths of errors": aliased(f"nodes(ids: {'[' + '1 ' * 30 + ']'}) {{ id }}", 2, "n" * 500),
}  # fmt: skip
FRAGMENT = f" fragment F on Job {{ {aliased('status', 2, 'n' * 500)} }}"


@pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)
@pytest.mark.parametrize("name", TOO_LARGE)
async def test_an_answer_is_bounded(service: Service, name: str, entrance: Entrance) -> None:
    text = f"{{ {TOO_LARGE[name]} }}" + (FRAGMENT if "...F" in TOO_LARGE[name] else "")
    body = await entrance(service, {"query": text})
    assert body["data"] is None
    (error,) = body["errors"]
    assert error["extensions"] == TOLD
    assert f"exceed {MOST} bytes" in error["message"]


async def test_the_bound_is_exact(database_url: str) -> None:
    """To the byte."""
    text = f"{{ {nodes('id createdAt payload lastErrorMessage runSeconds')} }}"
    async with serving(database_url) as wide:
        size = len((await wide.post(text)).content)
    for most, expected in ((size, []), (size - 1, ["RESPONSE_TOO_LARGE"])):
        async with serving(database_url, max_response_bytes=str(most)) as exact:
            response = await exact.post(text)
        assert (response.status_code, codes(response.json())) == (200, expected)
        assert len(response.content) <= most


async def test_nothing_more_is_read(service: Service) -> None:
    many = aliased(nodes("payload"), 20)
    with service.recorded() as statements:
        assert codes((await service.post(f"{{ {many} }}")).json()) == ["RESPONSE_TOO_LARGE"]
    # What had been read when the second page was too much, and what was just being read.
    assert len(statements) <= 3
    assert len((await service.query(f"{{ {nodes('payload')} }}"))["jobs"]["nodes"]) == JOBS


async def test_many_rows_are_read_piece_by_piece(fresh_database: FreshDatabase) -> None:
    url = await fresh_database()
    rows = [job(n, payload={"text": TEXT}) for n in range(200)]
    await insert(url, rows, [e for row in rows for e in events(row, "queued", detail={"n": TEXT})])
    text = f"{{ {nodes('id payload latestEvent { detail }', 200)} }}"
    async with serving(url) as wide:
        assert len((await wide.query(text))["jobs"]["nodes"]) == 200
    async with serving(url, max_response_bytes="100000") as narrow:
        assert codes((await narrow.post(text)).json()) == ["RESPONSE_TOO_LARGE"]
        assert narrow.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        assert len((await narrow.query(f"{{ {nodes('id', 200)} }}"))["jobs"]["nodes"]) == 200


async def test_hidden_secrets_are_no_way_around(database_url: str) -> None:
    org = str(uuid4())
    rows = [job(n, org_id=org, payload={"text": TEXT, "password": TEXT}) for n in range(JOBS)]
    await insert(database_url, rows)
    viewer = await mint(database_url, Role.VIEWER, org=org)
    given = {"auth": "token", "max_response_bytes": str(2 * MOST)}
    async with serving(database_url, **given) as service:
        for count, expected in ((3, []), (5, ["RESPONSE_TOO_LARGE"]), (49, ["RESPONSE_TOO_LARGE"])):
            text = f"{{ {nodes(aliased('payload', count))} }}"
            response = await service.post(text, None, authorization=viewer.bearer)
            assert codes(response.json()) == expected


@pytest.mark.parametrize("entrance", [ENTRANCES["POST"], ENTRANCES["SSE"], ENTRANCES["WebSocket"]])
async def test_what_a_mutation_wrote_stays_written(service: Service, entrance: Entrance) -> None:
    kind = f"batch.{uuid4()}"
    batch = [{"type": kind, "payload": TEXT}] * 30
    body = await entrance(service, {"query": CREATE, "variables": {"i": batch}})
    assert body["data"] is None
    (error,) = body["errors"]
    assert "are committed" in error["message"]
    fields = [{"field": "createJobs", "outcome": "ok", "created": 30, "existing": 0}]
    assert error["extensions"] == {**TOLD, "fields": fields}
    assert await count(service, kind) == 30


async def test_what_comes_after_it_is_not_done(service: Service) -> None:
    kind = f"batch.{uuid4()}"
    first = "createJobs(input: $i) { ... on CreateJobsPayload { jobs { payload } } }"
    second = f'createJob(input: {{type: "{kind}.later"}}) {{ __typename }}'
    text = f"mutation ($i: [CreateJobInput!]!) {{ {first} {second} third: {second} }}"
    response = await service.post(text, {"i": [{"type": kind, "payload": TEXT}] * 30})
    (error,) = response.json()["errors"]
    assert [each["outcome"] for each in error["extensions"]["fields"]] == [
        "ok",
        "RESPONSE_TOO_LARGE",
    ]
    assert (await count(service, kind), await count(service, f"{kind}.later")) == (30, 0)


async def count(service: Service, kind: str) -> int:
    text = "query ($t: String) { jobs(filter: {type: {eq: $t}}) { count { value } } }"
    found: int = (await service.query(text, {"t": kind}))["jobs"]["count"]["value"]
    return found


RECORD = "mutation ($i: RecordJobEventInput!) { recordJobEvent(input: $i) { __typename } }"
WATCH = "subscription { jobEvents%s { cursor node { detail } } }"


@pytest.mark.parametrize("way", ["SSE", "WebSocket"])
async def test_a_subscription_goes_on_behind_what_is_too_large(service: Service, way: str) -> None:
    org, place = await recorded(service, [{"text": "x" * MOST}, {"text": "small"}])
    async with aclosing(watch(service, org, WATCH % place, way)) as messages:
        too_large = await anext(messages)
        assert too_large["data"] is None
        assert codes(too_large) == ["RESPONSE_TOO_LARGE"]
        assert (await anext(messages))["data"]["jobEvents"]["node"]["detail"]["text"] == "small"


@pytest.mark.parametrize("way", ["SSE", "WebSocket"])
async def test_each_message_has_a_bound_of_its_own(service: Service, way: str) -> None:
    """Also where many are worked out together."""
    org, place = await recorded(service, [{"n": n, "text": TEXT} for n in range(40)])
    async with aclosing(watch(service, org, WATCH % place, way)) as messages:
        told = [await anext(messages) for _ in range(40)]
    details = [message["data"]["jobEvents"]["node"]["detail"] for message in told]
    assert [detail["n"] for detail in details] == list(range(40))


async def recorded(service: Service, details: list[Any]) -> tuple[str, str]:
    """Record events of a new organisation's job; get it, and the argument to be told of them."""
    org = str(uuid4())
    create = 'mutation { createJob(input: {type: "t"}) { ... on CreateJobPayload { job { id } } } }'
    created = await service.query(create, None, Joblens_Org=org)
    page = await service.query("{ jobEvents { edges { cursor } } }", None, Joblens_Org=org)
    for detail in details:
        given = {"id": created["createJob"]["job"]["id"], "detail": detail}
        await service.query(RECORD, {"i": given}, Joblens_Org=org)
    return org, f'(after: "{page["jobEvents"]["edges"][0]["cursor"]}")'


async def watch(service: Service, org: str, text: str, way: str) -> AsyncGenerator[Any]:
    """Watch, for another organisation, by either way; get each response."""
    if way == "SSE":
        async with stream(service, text, Joblens_Org=org) as told:
            while True:
                if not is_again(message := (await told.event())[1]):
                    yield message
    async with socket(service, Joblens_Org=org) as client:
        await client.init()
        await client.subscribe("1", text)
        while True:
            message = await client.receive()
            assert (message["type"], message["id"]) == ("next", "1")
            if not is_again(message["payload"]):
                yield message["payload"]


def is_again(message: Any) -> bool:
    """Tell whether it is the event at the cursor, which may come again."""
    return bool(message["data"]) and message["data"]["jobEvents"]["node"]["detail"].keys() == {"by"}
