"""Slow operations and statements in the log: what they say, and that it is never a value."""

import logging
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from typing import Any

import asyncpg
import pytest

from tests.support.background import until
from tests.support.service import ORG, Service, serving

SECRET = "never-to-be-logged"
SEARCH = f'query Find {{ jobs(filter: {{type: {{eq: "{SECRET}"}}}}) {{ nodes {{ id }} }} }}'
CREATE = f'mutation {{ createJob(input: {{type: "{SECRET}"}}) {{ __typename }} }}'
ALL = {"slow_operation_seconds": "0", "slow_statement_seconds": "0", "slow_plans": "true"}


class Heard(logging.Handler):
    """What was logged, by its event."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        assert isinstance(record.msg, dict)
        self.lines.append(record.msg)

    def of(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == event]


@pytest.fixture
def heard() -> Iterator[Heard]:
    handler = Heard()
    logger = logging.getLogger("joblens.slow")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


# Of each test alone: its tasks log statements and plans later, too.
@pytest.fixture
async def slow(database_url: str) -> AsyncIterator[Service]:
    async with serving(database_url, **ALL) as running:
        yield running


async def test_an_operation_and_its_statements(slow: Service, heard: Heard) -> None:
    await slow.post(SEARCH, x_request_id="mine")
    (operation,) = heard.of("slow operation")
    statements = heard.of("slow statement")
    assert operation["operation"] == "query"
    assert operation["operation_name"] == "Find"
    assert operation["sha256"] == sha256(SEARCH.encode()).hexdigest()
    assert (operation["organisation"], operation["code"]) == (ORG, "OK")
    assert operation["statements"] == len(statements) > 0
    assert operation["seconds"] >= operation["sql_seconds"] > 0
    for each in statements:
        assert (each["organisation"], each["operation_name"], each["error"]) == (ORG, "Find", None)
        assert each["request_id"] == "mine"
        assert "$1" in each["sql"]


async def test_a_mutation(slow: Service, heard: Heard) -> None:
    await slow.query(CREATE)
    (operation,) = heard.of("slow operation")
    assert operation["operation"] == "mutation"
    assert operation["statements"] == len(heard.of("slow statement")) > 1


async def test_a_plan(database_url: str, heard: Heard) -> None:
    def own_plans() -> list[dict[str, Any]]:
        # Other services may still explain what tests before this one asked.
        plans = heard.of("plan of a slow statement")
        return [each for each in plans if each["request_id"] == "planned"]

    async with serving(database_url, **ALL) as service:
        await service.query(SEARCH, X_Request_Id="planned")

        async def is_explained() -> bool:
            return bool(own_plans())

        await until(is_explained)
        for _ in range(5):
            await service.query(SEARCH, X_Request_Id="planned")
    plans = own_plans()
    # Each once, however often it was slow.
    assert len({each["sql"] for each in plans}) == len(plans)
    plan = plans[0]
    assert plan["sql"] in {each["sql"] for each in heard.of("slow statement")}
    assert any("cost=" in line for line in plan["plan"])
    # As the role of requests, under row level security.
    assert any("joblens.org_id" in line for line in plan["plan"])


async def test_a_failed_statement(database_url: str, heard: Heard) -> None:
    lock = await asyncpg.connect(database_url)
    settings = {"slow_statement_seconds": "0.1", "statement_timeout_seconds": "0.2"}
    async with serving(database_url, **settings) as service, lock.transaction():
        await lock.execute("LOCK TABLE job")
        await service.post(SEARCH)
    await lock.close()
    (line,) = heard.of("slow statement")
    assert line["error"] == "QueryCanceledError"
    assert line["seconds"] >= 0.1
    assert not heard.of("slow operation")


async def test_no_line_has_a_value(slow: Service, heard: Heard) -> None:
    await slow.query(CREATE)
    await slow.query(SEARCH)
    await slow.post(
        "query ($type: String!) { jobs(filter: {type: {eq: $type}}) { nodes { id } } }",
        {"type": SECRET},
    )
    assert heard.of("slow operation")
    assert SECRET not in str(heard.lines)


async def test_what_is_quick_is_not_logged(database_url: str, heard: Heard) -> None:
    settings = {"slow_operation_seconds": "3600", "slow_statement_seconds": "3600"}
    async with serving(database_url, **settings) as service:
        await service.query(SEARCH)
    assert not heard.lines
