"""The SQL of every command, against the rules that keep the tables fit to be spread over shards.

And its number of statements, on plain PostgreSQL and on Citus.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.schema.test_writes import (
    BULK,
    CREATE,
    CREATE_MANY,
    RECORD,
    TRANSITION,
    TRANSITION_MANY,
    move,
    new_job,
)
from tests.support.citus import BOTH_WAYS, write_as_on_citus
from tests.support.mutability import mutable
from tests.support.service import ORG, Service, serving
from tests.support.shards import faults

FACTS = """mutation ($id: String!, $ts: DateTime!, $status: JobStatus!) {
  recordFacts(source: {name: $id, kind: "k"}, facts: [{externalId: $id, ts: $ts, status: $status}])
  { recorded } }"""

Send = Callable[[], Awaitable[Any]]

# What would be computed on each shard for itself, and what needs more than plain statements.
FORBIDDEN = re.compile(
    r"\b(now|clock_timestamp|transaction_timestamp|statement_timestamp|localtimestamp"
    r"|current_timestamp|gen_random_uuid|uuidv7|set_config|delete|merge|old|new)\b",
    re.IGNORECASE,
)
WORDS = {"UPDATE", "INSERT", "SELECT"}
# The change and its events: in one statement, and in two as on Citus. Notifications come later.
IN_ONE, IN_TWO = ["WITH"], ["UPDATE", "INSERT"]


def check(statements: list[str], *, wrote: bool, citus: bool) -> None:
    """Check the statements of one writing transaction."""
    for statement in statements:
        assert not FORBIDDEN.search(statement), statement
        found = faults(statement)
        assert found == [] if citus else all("modifying CTE" in fault for fault in found)
        if citus:
            assert statement.split()[0] in WORDS
            # One statement writes to one table: no writing CTE.
            assert len(re.findall(r"\b(?:UPDATE (?=job)|INSERT INTO)", statement)) <= 1
    told = [statement for statement in statements if "pg_notify" in statement]
    assert told == []
    events = [statement for statement in statements if "INTO job_event" in statement]
    changes = [s for s in statements if re.search(r"(^|\()(UPDATE job\b|INSERT INTO job\b)", s)]
    if wrote:
        assert len(events) == len(changes) == 1
        assert statements.index(changes[0]) <= statements.index(events[0])
    elif citus:
        assert events == []


@pytest.fixture(scope="module", **BOTH_WAYS)
def citus(request: pytest.FixtureRequest) -> bool:
    """Whether Joblens writes as on Citus."""
    return bool(request.param)


@pytest.fixture(scope="module")
async def service(database_url: str, citus: bool) -> AsyncIterator[Service]:
    async with serving(database_url) as running:
        if citus:
            await write_as_on_citus(running.engine)
        yield running


@pytest.fixture
async def heard(service: Service, database_url: str) -> AsyncIterator[list[str]]:
    """What was notified of meanwhile."""
    connection = await asyncpg.connect(database_url)
    payloads: list[str] = []
    await connection.add_listener("joblens", lambda *args: payloads.append(args[-1]))
    yield payloads
    await connection.close()


async def arrived(service: Service, heard: list[str]) -> list[str]:
    """Get what was heard of our organisation until now: a mark comes after it."""
    mark = uuid4()
    await service.query(CREATE, {"input": {"type": "mark"}}, Joblens_Org=str(mark))
    while str(mark) not in heard:
        await service.query("{ __typename }")
    return [payload for payload in heard if payload == ORG]


def sender(service: Service, query: str, **variables: Any) -> Send:
    async def send() -> Any:
        return await service.query(query, variables)

    return send


async def commands(service: Service, citus: bool) -> dict[str, tuple[Send, bool, list[str]]]:
    """Get a request for each way to write, whether it changes anything, and its statements."""
    key = uuid4().hex
    names = ("start", "fail", "retry", "note", "cancel", "again", "many", "ended")
    ids = {name: await new_job(service, type=key) for name in names}
    batch = [{"id": await new_job(service, type=key), "to": "RUNNING"} for _ in range(20)]
    for name in ("fail", "retry", "again", "ended"):
        await move(service, ids[name], "RUNNING")
    for name in ("retry", "again"):
        await move(service, ids[name], "FAILED", errorCode="E")
    await move(service, ids["ended"], "SUCCEEDED")
    await new_job(service, type=key, idempotencyKey=key)
    held = {"type": key, "idempotencyKey": key}
    other = {**held, "type": "other"}
    child = {"type": "t", "parentId": ids["note"], "batch": "b", "tags": ["x"]}
    operate = "mutation ($id: ID!) { %s(id: $id) { __typename } }"

    def change(name: str, to: str, **fields: Any) -> Send:
        return sender(service, TRANSITION, input={"id": ids[name], "to": to, **fields})

    def bulk(field: str, name: str) -> Send:
        return sender(service, BULK % field, f={"ids": [ids[name]], "type": {"eq": key}})

    change_one = IN_TWO if citus else IN_ONE
    # What has no effect is one statement, and another one that reads why.
    nothing = ["UPDATE"] if citus else ["WITH"]
    creation = ["INSERT", "INSERT"]
    error = {"errorCode": "E", "errorMessage": "no", "detail": {"a": 1}, "result": [1]}
    return {
        "create": (sender(service, CREATE, input={"type": "t", "payload": [1]}), True, creation),
        "create the same": (sender(service, CREATE, input=held), False, ["INSERT", "SELECT"]),
        "conflict": (sender(service, CREATE, input=other), False, ["INSERT", "SELECT"]),
        "create many": (
            sender(service, CREATE_MANY, input=[{"type": "t"}] * 20 + [held]),
            True,
            ["INSERT", "SELECT", "INSERT"],
        ),
        "create none": (sender(service, CREATE_MANY, input=[]), False, []),
        "create a child": (sender(service, CREATE, input=child), True, ["SELECT", *creation]),
        "create children": (
            sender(service, CREATE_MANY, input=[child, {**child, "parentId": ids["fail"]}] * 10),
            True,
            ["SELECT", *creation],
        ),
        "create a child of nobody": (
            sender(service, CREATE, input={**child, "parentId": ORG}),
            False,
            ["SELECT"],
        ),
        "create a held child of nobody": (
            sender(service, CREATE, input={**held, "parentId": ORG}),
            False,
            ["SELECT", "SELECT"],
        ),
        "start": (change("start", "RUNNING", **{"from": "QUEUED"}), True, change_one),
        "start twice": (change("start", "RUNNING"), False, [*nothing, "SELECT"]),
        "not from there": (change("start", "FAILED", **{"from": "QUEUED"}), False, ["SELECT"]),
        "fail": (change("fail", "FAILED", **error), True, change_one),
        "retry": (change("retry", "QUEUED"), True, change_one),
        "start a batch": (
            sender(service, TRANSITION_MANY, input=batch),
            True,
            ["SELECT", *change_one],
        ),
        "start a batch twice": (
            sender(service, TRANSITION_MANY, input=batch),
            False,
            ["SELECT", *nothing, "SELECT"],
        ),
        "record": (
            sender(service, RECORD, input={"id": ids["note"], "detail": {}}),
            True,
            [*change_one, "SELECT"],
        ),
        "record of none": (
            sender(service, RECORD, input={"id": ORG, "detail": {}}),
            False,
            [*nothing, "SELECT"],
        ),
        "tell a fact": (
            sender(service, FACTS, id=key, status="QUEUED", ts="2026-01-01T00:00:00Z"),
            True,
            [*("SELECT", "SELECT", "INSERT", "SELECT"), "SELECT", *creation],
        ),
        "tell it again": (
            sender(service, FACTS, id=key, status="QUEUED", ts="2026-01-01T00:00:00Z"),
            False,
            ["SELECT", "SELECT"],
        ),
        "tell a fact of a job that is known": (
            sender(service, FACTS, id=key, status="RUNNING", ts="2026-01-02T00:00:00Z"),
            True,
            ["SELECT", "SELECT", *creation],
        ),
        "cancel": (sender(service, operate % "cancelJob", id=ids["cancel"]), True, change_one),
        "retry by hand": (sender(service, operate % "retryJob", id=ids["again"]), True, change_one),
        "rerun": (sender(service, operate % "rerunJob", id=ids["ended"]), True, creation),
        "rerun of none": (sender(service, operate % "rerunJob", id=ORG), False, ["INSERT"]),
        "reschedule": (
            sender(service, operate % "rescheduleJob", id=ids["many"]),
            True,
            ["SELECT", *change_one],
        ),
        "reschedule what ended": (
            sender(service, operate % "rescheduleJob", id=ids["ended"]),
            False,
            ["SELECT"],
        ),
        "cancel many": (bulk("cancelJobs", "many"), True, ["SELECT", *change_one]),
        "retry many": (bulk("retryJobs", "many"), True, ["SELECT", *change_one]),
        "cancel what ended": (bulk("cancelJobs", "ended"), False, ["SELECT", *nothing]),
    }


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def test_every_command_keeps_the_rules(
    service: Service, citus: bool, heard: list[str], owner: Any
) -> None:
    for name, (send, wrote, words) in (await commands(service, citus)).items():
        before = len(await arrived(service, heard))
        with service.recorded() as recorded:
            await send()
        statements = [statement for statement in recorded if not is_answer(statement)]
        assert [statement.split()[0] for statement in statements] == words, name
        check(statements, wrote=wrote, citus=citus)
        for statement in statements:
            assert await mutable(owner, statement) == [], name
        heard_now = await arrived(service, heard)
        assert heard_now[before:] == [ORG] * wrote, name


async def test_a_deletion_keeps_them_too(service: Service, citus: bool, heard: list[str]) -> None:
    ids = [await new_job(service) for _ in range(20)]
    filter_ = {"f": {"ids": ids}}
    query = "mutation ($f: JobFilter!) { deleteJobs(filter: $f, dryRun: %s) { deleted } }"
    expected = {
        "true": (["SELECT"], 0),
        # Found, locked, taken out of the tallies, which are not on Citus, and deleted.
        "false": (["SELECT", "SELECT", *([] if citus else ["INSERT"]), "DELETE"], 1),
    }
    for dry_run, (words, times) in expected.items():
        before = len(await arrived(service, heard))
        with service.recorded() as statements:
            await service.query(query % dry_run, filter_)
        assert [statement.split()[0] for statement in statements] == words
        for statement in statements:
            assert faults(statement) == []
        assert (await arrived(service, heard))[before:] == [ORG] * times


def is_answer(statement: str) -> bool:
    """Whether a statement reads what the answer's own fields need, after the commit."""
    is_read = statement.startswith("SELECT") and "job_event" in statement
    # The lookup of a key compares with what a job was before it was rescheduled.
    return is_read and "idempotency_key" not in statement
