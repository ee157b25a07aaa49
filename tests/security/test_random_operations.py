"""Random valid operations with real tokens, over every entrance: nothing breaks, nothing leaks."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from hypothesis_graphql import mutations, queries

from resolvers.viewer import Role
from tests.properties.shapes import check_errors
from tests.resolvers.live.clients import Stream, socket
from tests.resolvers.roles.asking import ADMIN, OPERATOR, VIEWER, WRITER
from tests.resolvers.roles.ledgers import MARK, OUR_EVENTS, OURS, THEIR_EVENTS, THEIR_IDS, THEIRS
from tests.resolvers.roles.secrets import SECRET
from tests.resolvers.roles.test_random import EVENTS, MARKS, ROW, SCALARS, SCHEMA, valid
from tests.security.entrances import EVENTS as EVENT_STREAM
from tests.security.entrances import GRAPHQL, INTERNAL, logged
from tests.server.auth.minting import mint
from tests.support.effort import examples
from tests.support.ledger import insert
from tests.support.service import OTHER_ORG, Service, serving

WAYS = ("POST", "GET", "SSE", "WebSocket")
# Each of these is an answer: it ran, in part or in whole, or was refused for a reason.
STATUSES = {200, 400, 403}
QUERIES = valid(queries(SCHEMA, custom_scalars=SCALARS, print_ast=lambda tree: tree))
MUTATIONS = valid(mutations(SCHEMA, custom_scalars=SCALARS, print_ast=lambda tree: tree))

FEW = examples(
    60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Service]:
    rows, steps = [*OURS, *THEIRS, ROW], [*OUR_EVENTS, *THEIR_EVENTS, *EVENTS]
    await insert(database_url, rows, steps)
    async with serving(
        database_url, auth="token", rate_points_per_minute="0", max_cost="1000000"
    ) as running:
        yield running


@pytest.fixture(scope="module")
async def bearers(database_url: str) -> dict[Role, str]:
    return {role: (await mint(database_url, role, name="somebody")).bearer for role in Role}


async def ask(service: Service, way: str, query: str, bearer: str) -> Any:
    """Get the body of an answer, whose status must be one of an answer."""
    headers = {"authorization": bearer, "accept": EVENT_STREAM if way == "SSE" else GRAPHQL}
    client, request = service.client, {"query": query}
    if way == "WebSocket":
        async with socket(service, Authorization=bearer) as connection:
            await connection.init()
            await connection.subscribe("1", query)
            message = await connection.receive()
        return {"errors": message["payload"]} if message["type"] == "error" else message["payload"]
    if way == "GET":
        response = await client.get("/graphql", params=request, headers=headers)
    else:
        response = await client.post("/graphql", json=request, headers=headers)
    assert response.status_code in STATUSES, response.text
    if response.headers["content-type"].startswith(EVENT_STREAM):
        return (await Stream(response).event())[1]
    return response.json()


def harmless(query: str, body: Any, subject: str) -> None:
    """See that an answer has no error of ours, and no word of the others' or of what is secret."""
    check_errors(body.get("errors", ()))
    data = orjson.dumps(body.get("data")).decode()
    messages = str([error["message"] for error in body.get("errors", ())])
    text = data + messages
    # Jobs may tell of URLs, and so may what is asked of them.
    assert not INTERNAL.search(messages.replace("postgres://", ""))
    assert not any(mark in text for mark in MARKS), subject
    # JobNotFound repeats an id that was sent: only what was not sent can be a leak.
    assert not any(id_ in data for id_ in THEIR_IDS if id_ not in query)
    assert OTHER_ORG not in data or OTHER_ORG in query


@FEW
@given(role=st.sampled_from([VIEWER, WRITER, OPERATOR]), way=st.sampled_from(WAYS), query=QUERIES)
async def test_queries(
    service: Service, bearers: dict[Role, str], role: Role, way: str, query: str
) -> None:
    with logged() as log:
        body = await ask(service, way, query, bearers[role])
    harmless(query, body, role)
    assert not any(bearers[role].removeprefix("Bearer ") in line for line in log.lines)


@FEW
@given(
    role=st.sampled_from([VIEWER, WRITER, OPERATOR]),
    way=st.sampled_from([way for way in WAYS if way != "GET"]),
    query=MUTATIONS,
)
async def test_mutations(
    service: Service, bearers: dict[Role, str], role: Role, way: str, query: str
) -> None:
    with logged() as log:
        body = await ask(service, way, query, bearers[role])
    harmless(query, body, role)
    assert not any(bearers[role].removeprefix("Bearer ") in line for line in log.lines)


@pytest.mark.parametrize("way", WAYS)
async def test_what_could_leak_is_there(
    service: Service, bearers: dict[Role, str], database_url: str, way: str
) -> None:
    query = "{ jobs { nodes { id type payload lastErrorCode lastErrorMessage } } }"
    theirs = await mint(database_url, ADMIN, org=OTHER_ORG, name="theirs")
    told = [str(await ask(service, way, query, each)) for each in (bearers[ADMIN], theirs.bearer)]
    assert SECRET in told[0]
    assert f"secret of {MARK}" in told[1]
    assert f"secret of {MARK}" not in told[0]
    shown = str(await ask(service, way, query, bearers[VIEWER]))
    assert "[redacted]" in shown
    assert SECRET not in shown
