"""Where sign-in, roles, limits and HTTP meet: what none of them shows alone."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest

from tests.resolvers.live.clients import COUNTS, socket, stream
from tests.resolvers.live.rest import BUSY, table_locked, until_someone_waits
from tests.resolvers.roles.asking import ADMIN, OPERATOR, VIEWER
from tests.resolvers.roles.ledgers import OUR_IDS, OURS, THEIR_IDS, THEIRS, UNKNOWN
from tests.resolvers.roles.secrets import SECRET
from tests.schema.limits.entrances import codes
from tests.server.auth.minting import Minted, mint, revoke
from tests.server.auth.test_open_connections import assert_ends
from tests.support.ledger import events, insert, job
from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import OTHER_ORG, Service, serving

ROW = job(status="running", attempt=1)


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Service]:
    await insert(database_url, [*OURS, *THEIRS, ROW], events(ROW, "queued", "running"))
    async with serving(database_url, auth="token") as running:
        yield running


@pytest.fixture(scope="module")
async def admin(database_url: str) -> Minted:
    return await mint(database_url, ADMIN, name="same")


WATCH = "subscription { jobEvents { node { detail } } }"


async def test_equal_subscriptions_of_several_tokens(
    service: Service, admin: Minted, database_url: str
) -> None:
    """Of one name, too: each is told what its own roles may see, over each transport."""
    viewer = await mint(database_url, VIEWER, name="same")
    others = await mint(database_url, ADMIN, name="same", org=OTHER_ORG)
    async with AsyncExitStack() as stack:
        sockets, streams = [], []
        for minted in (admin, viewer, admin, others, viewer):
            client = await stack.enter_async_context(socket(service))
            await client.init({"token": minted.text})
            await client.subscribe("1", WATCH)
            sockets.append(client)
            watch = stream(service, WATCH, Authorization=minted.bearer)
            streams.append(await stack.enter_async_context(watch))
        record = f'mutation {{ recordJobEvent(input: {{id: "{ROW["id"]}", detail: {{secret: "{SECRET}"}}}}) {{ __typename }} }}'
        await service.query(record, Authorization=admin.bearer)
        for sees, place in ((True, 0), (False, 1), (True, 2), (False, 4)):
            for text in (
                json.dumps(await sockets[place].receive()),
                json.dumps(await streams[place].event()),
            ):
                assert (SECRET in text, "[redacted]" in text) == (sees, not sees)
        await sockets[3].send({"type": "ping"})
        assert await sockets[3].receive() == {"type": "pong"}


async def test_a_token_with_other_roles_ends_what_it_opened(
    service: Service, database_url: str
) -> None:
    minted = await mint(database_url, OPERATOR)
    owner = await asyncpg.connect(database_url)
    async with (
        socket(service) as client,
        stream(service, COUNTS, Authorization=minted.bearer) as watched,
    ):
        await client.init({"token": minted.text})
        assert (await watched.event())[0] == "next"
        await owner.execute("UPDATE token SET roles = $2 WHERE id = $1", minted.id, [VIEWER.value])
        await assert_ends(watched)
        assert (await client.closed())[0] == 4403
    await owner.close()
    viewer = await service.query("{ viewer { roles } }", Authorization=minted.bearer)
    assert viewer == {"viewer": {"roles": ["VIEWER"]}}


async def test_a_token_that_is_revoked_in_the_middle_of_a_query(
    service: Service, database_url: str
) -> None:
    """What HTTP asked before is answered; what a WebSocket asked ends with it."""
    minted = await mint(database_url)
    query, headers = "{ jobs { nodes { id } } }", {"authorization": minted.bearer}
    watching = await asyncpg.connect(database_url)
    async with table_locked(database_url), socket(service) as client:
        asking = asyncio.create_task(
            service.client.post("/graphql", json={"query": query}, headers=headers)
        )
        await client.init({"token": minted.text})
        await client.subscribe("1", query)
        await until_someone_waits(database_url, 2)
        await revoke(database_url, minted)
        assert await client.closed() == (4403, "The token has expired or was revoked")
        async with asyncio.timeout(PATIENCE_SECONDS):
            # Whose lock is waited for is busy too, and so is the query by HTTP.
            while await watching.fetchval(BUSY) > 2:  # noqa: ASYNC110 - PostgreSQL tells nobody
                await asyncio.sleep(0.01)
    await watching.close()
    assert codes((await asking).json()) == []
    again = await service.client.post("/graphql", json={"query": query}, headers=headers)
    assert again.status_code == 401


async def test_nodes_of_all_kinds_of_ids(service: Service, admin: Minted) -> None:
    ours, theirs = OUR_IDS[:3], THEIR_IDS[:3]
    garbage = [
        "",
        "x",
        "'; DROP TABLE job; --",
        f"{ours[0]}:0",
        f"{theirs[0]}:x",
        "\0",
        ours[0] * 2,
    ]
    ids = [*theirs, garbage[0], *ours, *garbage[1:], UNKNOWN, ours[0], f"{theirs[0]}:1"]
    answer = await service.post(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        {"ids": ids},
        Authorization=admin.bearer,
    )
    body = answer.json()
    assert answer.status_code == 200
    assert body["data"]["nodes"] == [{"id": id_} if id_ in ours else None for id_ in ids]
    assert {error["message"] for error in body["errors"]} == {
        "An id must be a job's UUID, '<job id>:<seq>' for an event, 'batch:<name>' for a batch, "
        "'error-group:<UUID>' for an error group, or 'source:<UUID>' for a source."
    }
    assert codes(body) == ["BAD_USER_INPUT"] * len(garbage)
    assert [error["path"] for error in body["errors"]] == [
        ["nodes", place] for place, id_ in enumerate(ids) if id_ in garbage
    ]
    # Neither the order of the ids nor what is theirs shows in the cost.
    assert body["extensions"]["cost"] == {"requested": len(ids), "returned": 4}


async def test_what_is_theirs_costs_as_what_is_nobodys(service: Service, admin: Minted) -> None:
    query = "query ($id: ID!) { node(id: $id) { ... on Job { payload events { nodes { id } } } } }"
    told = [
        (await service.post(query, {"id": id_}, Authorization=admin.bearer)).json()
        for id_ in (THEIR_IDS[0], UNKNOWN)
    ]
    assert told[0] == told[1] != {}


# That a field needs selections is no suggestion: it repeats what was sent.
SUGGESTED = re.compile(r"Did you mean (?!'\w+ \{ \.\.\. \}')")
TYPOS: list[tuple[str, dict[str, Any]]] = [
    ("{ jbos { id } }", {}),
    ("{ jobs }", {}),
    ("{ viewer { subjct } }", {}),
    ("{ viewer { subject { x } } }", {}),
    ("{ jobs(frist: 1) { __typename } }", {}),
    ("{ node { id } }", {}),
    ("{ ...F } fragment F on Qury { __typename }", {}),
    ("{ ...G } fragment F on Query { __typename }", {}),
    ("query ($f: JobFiltr) { jobs(filter: $f) { __typename } }", {}),
    ("query ($f: JobFilter = {statos: 1}) { jobs(filter: $f) { __typename } }", {}),
    ("query ($f: JobFilter) { jobs(filter: $f) { __typename } }", {"f": {"statos": 1}}),
    ("query ($f: JobFilter) { jobs(filter: $f) { __typename } }", {"f": {"type": {"eq_": 1}}}),
    ("query ($s: [JobStatus!]) { jobs(filter: {status: $s}) { __typename } }", {"s": ["FAILD"]}),
    ("query ($o: JobOrder) { jobs(orderBy: $o) { __typename } }", {"o": {"feild": "CREATED_AT"}}),
    ("query ($i: ID!) { node(id: $i) { idd } }", {"i": "x"}),
    ("mutation { createJbo(input: {}) { __typename } }", {}),
    ("mutation ($i: CreateJobInput!) { createJob(input: $i) { __typename } }", {"i": {"typ": "x"}}),
    ("subscription { jobEvnts { cursor } }", {}),
    (
        "subscription ($f: JobEventFilter) { jobEvents(filter: $f) { cursor } }",
        {"f": {"jobIdd": 1}},
    ),
    ("{ __typename @skp(if: true) }", {}),
    ("{ __typename @skip(iff: true) }", {}),
]


async def test_nothing_is_suggested_where_introspection_is_off(
    database_url: str, admin: Minted
) -> None:
    headers = {"authorization": admin.bearer, "accept": "text/event-stream"}
    async with (
        serving(database_url, auth="token", introspection="false") as closed,
        socket(closed, Authorization=admin.bearer) as client,
    ):
        await client.init()
        for n, (query, variables) in enumerate(TYPOS):
            request = {"query": query, "variables": variables}
            streamed = await closed.client.post("/graphql", json=request, headers=headers)
            await client.subscribe(str(n), query, **variables)
            answer = await client.receive()
            assert answer["type"] == "error"
            for text in (streamed.text, json.dumps(answer)):
                assert not SUGGESTED.search(text), text


ORIGIN = "https://dashboard.example"
PREFLIGHT = {
    "origin": ORIGIN,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type",
}


async def test_browsers_ask_before_they_show_a_token(database_url: str, admin: Minted) -> None:
    async with serving(database_url, auth="token", cors_origins=ORIGIN) as service:
        client = service.client
        allowed = await client.options("/graphql", headers=PREFLIGHT)
        assert (allowed.status_code, allowed.text) == (204, "")
        assert allowed.headers["access-control-allow-origin"] == ORIGIN
        # A refusal can be read by the page that asked without a token, and says how to ask.
        stranger = await client.post("/graphql", json={"query": "{a}"}, headers={"origin": ORIGIN})
        assert (stranger.status_code, stranger.headers["www-authenticate"]) == (401, "Bearer")
        assert stranger.headers["access-control-allow-origin"] == ORIGIN
        headers = {"origin": ORIGIN, "authorization": admin.bearer}
        asked = await client.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, ORIGIN)


@pytest.mark.parametrize("path", ["/graphql", "/healthz", "/readyz", "/", "/assets/x.js"])
async def test_options_without_an_origin(service: Service, path: str) -> None:
    answer = await service.client.options(path)
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert codes(answer.json()) == ["METHOD_NOT_ALLOWED"]
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_head_tells_what_get_would_but_nothing_of_it(service: Service, admin: Minted) -> None:
    for headers, query, status in (
        ({}, "{ __typename }", 401),
        ({"authorization": admin.bearer}, "{ __typename }", 200),
        ({"authorization": admin.bearer}, "{ nothing }", 400),
        ({"authorization": admin.bearer}, "mutation { __typename }", 405),
        ({"authorization": admin.bearer}, COUNTS, 405),
    ):
        answer = await service.client.head("/graphql", params={"query": query}, headers=headers)
        assert (answer.status_code, answer.content) == (status, b"")
    for path in ("/healthz", "/readyz", "/"):
        answer = await service.client.head(path)
        assert (answer.status_code < 400, answer.content) == (True, b"")
