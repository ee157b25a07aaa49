"""An operation that is cancelled wherever it waits, on both executors: no connection is lost."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import EngineOptions, Scope, create_engine
from db.request_session import RequestSession
from resolvers.context import Context
from resolvers.viewer import Role, Viewer
from schema.executable import EXECUTABLE_SCHEMA
from schema.execution.documents import Rules
from schema.execution.models import Operation, Request
from schema.execution.run import execute, prepare
from tests.db.steps import stepped
from tests.db.test_cancellation import assert_at_rest
from tests.schema.execution.both import DROPS_COROUTINES
from tests.support.ledger import events, insert, job
from tests.support.service import ORG

pytestmark = DROPS_COROUTINES
RULES = Rules(EXECUTABLE_SCHEMA)
SCOPE = Scope(UUID(ORG), statement_timeout_seconds=60)
VIEWER = Viewer(UUID(ORG), "tests", frozenset({Role.ADMIN}))
QUERY = Request(
    "{ a: jobs { nodes { id events { nodes { id job { type } } } latestEvent { detail } } count { value } }"
    " b: jobs(last: 1) { nodes { attempts { number } } } statusCounts { count { value } } }"
)
MUTATION = Request(
    'mutation { createJob(input: {type: "t"}) { ... on CreateJobPayload { job { id events { nodes { id } } latestEvent { id } } } } }'
)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url, EngineOptions(pool_size=2, pool_overflow=0))
    yield engine
    await engine.dispose()


@pytest.fixture(scope="module", autouse=True)
async def _ledger(database_url: str) -> None:
    jobs = [job(n, status="failed") for n in range(3)]
    await insert(
        database_url,
        jobs,
        [step for row in jobs for step in events(row, "queued", "running", "failed")],
    )


running: set["asyncio.Task[Any] | None"] = set()


def cancel() -> None:
    """Cancel the operation, whichever of its tasks waits now: as a server does."""
    for task in running:
        assert task is not None
        task.cancel()


async def life(engine: AsyncEngine, request: Request, *, compiles: bool) -> None:
    """Run an operation as a server does."""
    running.add(asyncio.current_task())
    operation = prepare(request, RULES)
    assert isinstance(operation, Operation)
    context = Context(VIEWER, RequestSession(engine, SCOPE))
    try:
        response = await execute(replace(operation, compiles=compiles), request, context)
        assert not response.errors
    finally:
        await context.close()
        running.clear()


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("compiles", [True, False], ids=["compiled", "core"])
@pytest.mark.parametrize("request_", [QUERY, MUTATION], ids=["query", "mutation"])
async def test_cancelled_wherever_it_waits(
    engine: AsyncEngine, request_: Request, compiles: bool, times: int
) -> None:
    before = asyncio.all_tasks()
    for step in count(1):
        at = dict.fromkeys(range(step, step + times), cancel)
        taken = await stepped(life(engine, request_, compiles=compiles), at)
        running.clear()
        while left := asyncio.all_tasks() - before:
            await asyncio.wait(left)
        await assert_at_rest(engine)
        await life(engine, request_, compiles=compiles)
        if taken < step:
            break
