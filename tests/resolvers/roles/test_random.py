"""Whatever valid operation a viewer, writer or operator sends: it never breaks, and never leaks."""

from typing import Any

import orjson
import pytest
from graphql import build_schema
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st
from hypothesis_graphql import mutations, nodes, queries

from resolvers.viewer import Role
from schema.schema import sdl
from server.http.responses import GRAPHQL_RESPONSE, write
from tests.properties.shapes import check_errors, texts
from tests.properties.test_random_queries import document, json_node
from tests.resolvers.roles.asking import OPERATOR, VIEWER, WRITER, Asking
from tests.resolvers.roles.ledgers import (
    MARK,
    OUR_CURSORS,
    OUR_EVENTS,
    OUR_IDS,
    OURS,
    THEIR_CURSORS,
    THEIR_EVENTS,
    THEIR_IDS,
    THEIRS,
    UNKNOWN,
)
from tests.resolvers.roles.secrets import DOCUMENT, MESSAGE, SECRET, secretive_job
from tests.support.effort import examples
from tests.support.ledger import insert

SCHEMA = build_schema(sdl())
ROW, EVENTS = secretive_job(20, idempotency_key="secretive", type="ours.type")
OURS_TOO = [str(ROW["id"]), f"{ROW['id']}:3"]
# What is said of the others: the message of an error may repeat an id or a word that was sent.
MARKS = [f"{MARK}.type", f"{MARK}_code", f"secret of {MARK}", SECRET, "secret of ours"]

SCALARS = {
    "Int": st.sampled_from([0, 1, 2, 3, 5, 5, 5, -1]).map(nodes.Int),
    "ID": st.one_of(
        st.sampled_from([*OUR_IDS, *OURS_TOO]), st.sampled_from(THEIR_IDS), st.just(UNKNOWN), texts
    ).map(nodes.String),
    "String": st.one_of(
        st.sampled_from(OUR_CURSORS),
        st.sampled_from(THEIR_CURSORS),
        st.sampled_from(["key0", "key8", "secretive", MARK, "ours", "connection", "postgres://"]),
        texts,
    ).map(nodes.String),
    "DateTime": st.sampled_from(
        ["2026-01-01T00:00:00Z", "2026-01-01T00:20:00Z", "2026-01-02T00:00:00Z"]
    ).map(nodes.String),
    "UUID": st.uuids().map(nodes.String),
    "JSON": st.sampled_from([[], [1], "ours", MARK, 1, True, ["ours"], [[MARK]]]).map(json_node),
}


@pytest.fixture(scope="module", autouse=True)
async def _ledger(database_url: str) -> None:
    rows, steps = [*OURS, *THEIRS, ROW], [*OUR_EVENTS, *THEIR_EVENTS, *EVENTS]
    await insert(database_url, rows, steps)


async def check(asked: Asking, query: str) -> None:
    response = await asked.response(query)
    assert write(response, GRAPHQL_RESPONSE).status_code < 500
    body = orjson.loads(orjson.dumps(response.body(), option=orjson.OPT_UTC_Z))
    check_errors(body.get("errors", ()))
    text = orjson.dumps(body.get("data")).decode() + str(
        [error["message"] for error in body.get("errors", ())]
    )
    assert not any(mark in text for mark in MARKS)
    told = orjson.dumps(body.get("data")).decode()
    assert not any(_repeated(id_, query) in told for id_ in THEIR_IDS)
    assert asked.state.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def _repeated(id_: str, query: str) -> str:
    """JobNotFound repeats the id that was sent: only what was not sent can be a leak."""
    return id_ if id_ not in query else f"{id_} was sent, so it may come back"


def valid(strategy: Any) -> Any:
    return st.builds(document, strategy, st.booleans())


@examples(100, suppress_health_check=[HealthCheck.too_slow])
@given(
    role=st.sampled_from([VIEWER, WRITER, OPERATOR]),
    query=valid(queries(SCHEMA, custom_scalars=SCALARS, print_ast=lambda tree: tree)),
)
@example(
    VIEWER,
    "{ jobs { nodes { payload result lastErrorMessage attempts { errorCode errorMessage } events { nodes { detail } } } } }",
)
async def test_a_query_never_breaks_and_never_leaks(admin: Asking, role: Role, query: str) -> None:
    await check(admin.as_(role), query)


@examples(60, suppress_health_check=[HealthCheck.too_slow])
@given(
    role=st.sampled_from([VIEWER, WRITER, OPERATOR]),
    query=valid(mutations(SCHEMA, custom_scalars=SCALARS, print_ast=lambda tree: tree)),
)
async def test_a_mutation_never_breaks_and_never_leaks(
    admin: Asking, role: Role, query: str
) -> None:
    await check(admin.as_(role), query)


async def test_there_was_something_to_leak(admin: Asking) -> None:
    """The marks are in the ledger, and an administrator of each organisation sees them."""
    query = "{ jobs { nodes { id type payload lastErrorCode lastErrorMessage } } }"
    both = str(await admin.data(query)) + str(
        await admin.as_(Role.ADMIN, org=THEIRS[0]["org_id"]).data(query)
    )
    assert all(mark in both for mark in MARKS)
    assert MESSAGE in both
    assert DOCUMENT["password"] in both
