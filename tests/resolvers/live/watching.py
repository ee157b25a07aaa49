"""Subscribes in the test's own process, and writes as other programs do: by plain SQL."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from db.engine import EngineOptions, Scope, create_engine
from db.request_session import RequestSession
from resolvers.context import Context
from resolvers.live.hub import Hub
from resolvers.live.options import LiveOptions
from resolvers.viewer import Role, Viewer
from schema.execution.models import Operation, Request, Response
from schema.execution.run import execute, prepare, subscribe
from schema.execution.subscription_responses import SubscriptionResponses
from tests.support.ledger import insert, job
from tests.support.patience import PATIENCE_SECONDS
from tests.support.rules import ANY_RULES
from tests.support.statements import recorded

# Generous: it only ends what would wait for ever.
# Longer than any test: what comes all the same came by a notification.
NEVER = 3_600.0
EVENTS = "subscription ($filter: JobEventFilter, $after: String) { jobEvents(filter: $filter, after: $after) { cursor node { id ts nextStatus } } }"


class Subscriber:
    """One subscription: its responses, and what they said of events."""

    def __init__(self, responses: SubscriptionResponses) -> None:
        self.responses = responses
        self.ready: list[Response] = []

    async def next(self) -> Response:
        async with asyncio.timeout(PATIENCE_SECONDS):
            if not self.ready:
                self.ready += await anext(self.responses)
            return self.ready.pop(0)

    async def data(self) -> Any:
        response = await self.next()
        assert not response.errors, response.errors
        assert response.data is not None
        (value,) = response.data.values()
        return value

    async def ids(self, count: int) -> list[str]:
        """Get the ids of so many events."""
        return [(await self.data())["node"]["id"] for _ in range(count)]

    async def completes(self) -> bool:
        try:
            await self.next()
        except StopAsyncIteration:
            return True
        return False

    async def is_quiet(self) -> bool:
        """Tell whether nothing is waiting at this moment."""
        if self.ready:
            return False
        task = asyncio.ensure_future(anext(self.responses))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        quiet = not task.done()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return quiet

    async def close(self) -> None:
        await self.responses.aclose()


class Watching:
    """A hub over a database, and a connection that writes to it."""

    def __init__(self, url: str, engine: AsyncEngine, hub: Hub, writer: asyncpg.Connection) -> None:
        self.url = url
        self.engine = engine
        self.hub = hub
        self.writer = writer
        self.org_id = uuid4()
        self.statement_timeout_seconds = 10.0
        self.open: list[Subscriber] = []

    @asynccontextmanager
    async def context(self, org_id: UUID) -> AsyncIterator[Context]:
        async with RequestSession(
            self.engine, Scope(org_id, self.statement_timeout_seconds)
        ) as session:
            yield Context(Viewer(org_id, "tester", (Role.ADMIN,)), session, live=self.hub)

    async def attempt(
        self, query: str, variables: dict[str, Any] | None = None, org_id: UUID | None = None
    ) -> SubscriptionResponses | Response:
        request = Request(query, None, variables or {})
        operation = prepare(request, ANY_RULES)
        assert isinstance(operation, Operation), operation
        whose = org_id or self.org_id
        return await subscribe(operation, request, lambda: self.context(whose))

    async def subscribe(
        self,
        query: str = EVENTS,
        variables: dict[str, Any] | None = None,
        org_id: UUID | None = None,
    ) -> Subscriber:
        async with asyncio.timeout(PATIENCE_SECONDS):
            responses = await self.attempt(query, variables, org_id)
        assert isinstance(responses, SubscriptionResponses), responses
        self.open.append(Subscriber(responses))
        return self.open[-1]

    async def answer(self, query: str) -> Any:
        """Run a query that must not have errors; get its data."""
        request = Request(query)
        operation = prepare(request, ANY_RULES)
        assert isinstance(operation, Operation), operation
        async with self.context(self.org_id) as context:
            response = await execute(operation, request, context)
        assert not response.errors, response.errors
        return orjson.loads(orjson.dumps(response.data))

    async def refused(self, query: str, variables: dict[str, Any] | None = None) -> Any:
        response = await self.attempt(query, variables)
        assert isinstance(response, Response)
        assert response.refused
        (error,) = response.errors
        return error

    async def job(self, **values: Any) -> dict[str, Any]:
        """Write a job without events."""
        row = job(**{"org_id": self.org_id, **values})
        await insert(self.url, [row])
        return row

    async def happen(
        self,
        row: dict[str, Any],
        status: str = "queued",
        *,
        notify: bool = True,
        writer: asyncpg.Connection | None = None,
        ago: float = 0,
        detail: str | None = None,
    ) -> str:
        """Write a change of status and its event as a transaction, or in the writer's own."""
        connection = writer or self.writer
        terminal = status in {"succeeded", "failed", "canceled", "dead_letter"}
        ts = datetime.now(UTC) - timedelta(seconds=ago)
        org_id = row["org_id"]
        async with connection.transaction():
            seq = await connection.fetchval(
                "UPDATE job SET event_seq = event_seq + 1, status = $3, updated_at = $4,"
                " finished_at = $5 WHERE org_id = $1 AND id = $2 RETURNING event_seq",
                org_id, row["id"], status, ts, ts if terminal else None,
            )  # fmt: skip
            await connection.execute(
                "INSERT INTO job_event (org_id, job_id, seq, ts, next_status, attempt, detail)"
                " VALUES ($1, $2, $3, $4, $5, 0, $6)",
                org_id, row["id"], seq, ts, status, detail,
            )  # fmt: skip
            if notify:
                await connection.execute("SELECT pg_notify('joblens', $1)", str(org_id))
        return f"{row['id']}:{seq}"

    async def listens(self) -> int:
        """Wait until the hub listens; get the server process that does."""
        return int(
            await until(
                lambda: self.writer.fetchval(
                    "SELECT pid FROM pg_stat_activity WHERE application_name = 'joblens listen'"
                    " AND datname = current_database() AND query LIKE 'LISTEN%' AND state = 'idle'"
                )
            )
        )

    def recorded(self) -> AbstractContextManager[list[str]]:
        """Collect the SQL of all statements but BEGIN and COMMIT."""
        return recorded(self.engine)


async def until(condition: Callable[[], Any]) -> Any:
    """Wait until the condition, which may be awaitable, holds; get what it says."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            value = condition()
            if asyncio.iscoroutine(value) or isinstance(value, asyncio.Future):
                value = await value
            if value:
                return value
            await asyncio.sleep(0.01)


@asynccontextmanager
async def watching(url: str, **options: Any) -> AsyncIterator[Watching]:
    """Watch a database; at the end nothing may be left that runs or is connected."""
    pool = EngineOptions(pool_size=5, pool_overflow=0)
    engine = create_engine(url, pool)
    hub = Hub(engine, url, LiveOptions(**options))
    writer = await asyncpg.connect(url)
    watched = Watching(url, engine, hub, writer)
    try:
        yield watched
        for subscriber in watched.open:
            await subscriber.close()
        assert hub.subscriptions == 0
        await until(lambda: not hub._feeds and not hub._counts and not hub._tasks)
    finally:
        await hub.stop()
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        await engine.dispose()
        if not writer.is_closed():
            await writer.close()
