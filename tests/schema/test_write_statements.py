"""The SQL of every command, against the rules that keep the tables fit to be spread over shards."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.schema.test_writes import BULK, CREATE, CREATE_MANY, RECORD, TRANSITION, move, new_job
from tests.support.service import ORG, Service

Send = Callable[[], Awaitable[Any]]

# What would be computed on each shard for itself, and what needs more than plain statements.
FORBIDDEN = re.compile(
    r"\b(now|clock_timestamp|transaction_timestamp|statement_timestamp|localtimestamp"
    r"|current_timestamp|gen_random_uuid|uuidv7|set_config|delete|merge|old|new)\b",
    re.IGNORECASE,
)
TABLE = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO) (job_event|job)\b(?: AS (\w+))?")
WORDS = {"UPDATE", "INSERT", "SELECT"}


def parts_of(statement: str) -> list[str]:
    """Take a statement apart: each subquery by itself, and what is left around them."""
    parts = []
    inner = re.compile(r"\(\s*(SELECT[^()]*(?:\([^()]*\)[^()]*)*)\)")
    while found := inner.search(statement):
        parts.append(found[1])
        statement = f"{statement[: found.start()]}subquery{statement[found.end() :]}"
    return [*parts, statement]


def check_organisation(statement: str) -> None:
    """Check that each table carries the organisation, as a parameter of its own."""
    for part in parts_of(statement):
        for table, alias in TABLE.findall(part):
            if re.search(rf"\bINTO {table}\b", part):
                columns = part.partition("(")[2].partition(")")[0]
                assert columns.split(", ")[0] == "org_id", part
            else:
                assert re.search(rf"\b{alias or table}\.org_id = \$\d+", part), part


def check(statements: list[str], *, wrote: bool) -> None:
    """Check the statements of one writing transaction."""
    for statement in statements:
        assert statement.split()[0] in WORDS
        assert not FORBIDDEN.search(statement), statement
        # One statement writes to one table: no writing CTE.
        assert len(re.findall(r"\b(?:UPDATE (?=job)|INSERT INTO)", statement)) <= 1
        check_organisation(statement)
    told = [statement for statement in statements if "pg_notify" in statement]
    assert len(told) == wrote
    events = [statement for statement in statements if "INTO job_event" in statement]
    assert len(events) == wrote
    if wrote:
        changes = [s for s in statements if re.match(r"UPDATE job\b|INSERT INTO job\b", s)]
        assert len(changes) == 1
        assert statements.index(changes[0]) < statements.index(events[0])


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


async def commands(service: Service) -> dict[str, tuple[Send, bool]]:
    """Get a request for each way to write, and whether it changes anything."""
    key = uuid4().hex
    names = ("start", "fail", "retry", "note", "cancel", "again", "many", "ended")
    ids = {name: await new_job(service, type=key) for name in names}
    for name in ("fail", "retry", "again", "ended"):
        await move(service, ids[name], "RUNNING")
    for name in ("retry", "again"):
        await move(service, ids[name], "FAILED", errorCode="E")
    await move(service, ids["ended"], "SUCCEEDED")
    await new_job(service, type=key, idempotencyKey=key)
    held = {"type": key, "idempotencyKey": key}
    other = {**held, "type": "other"}
    operate = "mutation ($id: ID!) { %s(id: $id) { __typename } }"

    def change(name: str, to: str, **fields: Any) -> Send:
        return sender(service, TRANSITION, input={"id": ids[name], "to": to, **fields})

    def bulk(field: str, name: str) -> Send:
        return sender(service, BULK % field, f={"ids": [ids[name]], "type": {"eq": key}})

    error = {"errorCode": "E", "errorMessage": "no", "detail": {"a": 1}, "result": [1]}
    return {
        "create": (sender(service, CREATE, input={"type": "t", "payload": [1]}), True),
        "create the same": (sender(service, CREATE, input=held), False),
        "conflict": (sender(service, CREATE, input=other), False),
        "create many": (sender(service, CREATE_MANY, input=[{"type": "t"}] * 20 + [held]), True),
        "create none": (sender(service, CREATE_MANY, input=[]), False),
        "start": (change("start", "RUNNING", **{"from": "QUEUED"}), True),
        "start twice": (change("start", "RUNNING"), False),
        "not from there": (change("start", "FAILED", **{"from": "QUEUED"}), False),
        "fail": (change("fail", "FAILED", **error), True),
        "retry": (change("retry", "QUEUED"), True),
        "record": (sender(service, RECORD, input={"id": ids["note"], "detail": {}}), True),
        "record of none": (sender(service, RECORD, input={"id": ORG, "detail": {}}), False),
        "cancel": (sender(service, operate % "cancelJob", id=ids["cancel"]), True),
        "retry by hand": (sender(service, operate % "retryJob", id=ids["again"]), True),
        "cancel many": (bulk("cancelJobs", "many"), True),
        "retry many": (bulk("retryJobs", "many"), True),
        "cancel what ended": (bulk("cancelJobs", "ended"), False),
    }


async def test_every_command_keeps_the_rules(service: Service, heard: list[str]) -> None:
    for name, (send, wrote) in (await commands(service)).items():
        before = len(await arrived(service, heard))
        with service.recorded() as statements:
            await send()
        check([s for s in statements if not is_answer(s)], wrote=wrote)
        heard_now = await arrived(service, heard)
        assert heard_now[before:] == [ORG] * wrote, name


def is_answer(statement: str) -> bool:
    """Whether a statement reads what the answer's own fields need, after the commit."""
    return statement.startswith("SELECT") and "job_event" in statement
