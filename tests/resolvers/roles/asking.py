"""Asks the application itself as any viewer: in the test's process, over a real database."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import event

from resolvers.context import Context
from resolvers.viewer import Role, Viewer
from schema.execution.models import Operation, Request, Response
from schema.execution.run import execute, prepare, subscribe
from schema.execution.subscription_responses import SubscriptionResponses
from server.app import create_app
from server.app_state import AppState
from server.response_encoding import dumps
from server.settings import Settings
from tests.support.service import ORG

VIEWER, WRITER, OPERATOR, ADMIN = Role
EXPIRY = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Asking:
    """An application and who asks it; `now` is the clock of each request, the real one unless set."""

    state: AppState
    viewer: Viewer = field(default_factory=lambda: Viewer(UUID(ORG), "tester", (ADMIN,), EXPIRY))
    now: datetime | None = None

    def as_(self, *roles: Role, org: str | UUID | None = None) -> "Asking":
        """Query as a viewer with these roles."""
        org_id = self.viewer.org_id if org is None else UUID(str(org))
        return Asking(self.state, Viewer(org_id, self.viewer.subject, roles, EXPIRY), self.now)

    def at(self, now: datetime) -> "Asking":
        return Asking(self.state, self.viewer, now)

    @asynccontextmanager
    async def context(self) -> AsyncIterator[Context]:
        context = self.state.context(self.viewer)
        if self.now is not None:
            now = self.now
            context.now, context.clock = now, lambda: now
        try:
            yield context
        finally:
            await context.close()

    async def response(self, query: str, variables: dict[str, Any] | None = None) -> Response:
        request = Request(query, None, variables or {})
        operation = prepare(request, self.state.rules)
        if isinstance(operation, Response):
            return operation
        async with self.context() as context:
            return await execute(operation, request, context)

    async def body(self, query: str, variables: dict[str, Any] | None = None) -> Any:
        """Get the response as its client reads it."""
        return orjson.loads(dumps((await self.response(query, variables)).body()))

    async def data(self, query: str, variables: dict[str, Any] | None = None) -> Any:
        """Get the data of what must not have errors."""
        body = await self.body(query, variables)
        assert "errors" not in body, body["errors"]
        return body["data"]

    async def error(self, query: str, variables: dict[str, Any] | None = None) -> tuple[str, str]:
        """Get the code and message of what must have one error, and no data."""
        body = await self.body(query, variables)
        assert body.get("data") is None, body
        (error,) = body["errors"]
        return error["extensions"]["code"], error["message"]

    async def subscribe(
        self, query: str, variables: dict[str, Any] | None = None
    ) -> SubscriptionResponses | Response:
        """Begin a subscription; whoever does closes it."""
        request = Request(query, None, variables or {})
        operation = prepare(request, self.state.rules)
        assert isinstance(operation, Operation), operation
        return await subscribe(operation, request, self.context)

    @contextmanager
    def recorded(self) -> Iterator[list[str]]:
        """Collect the SQL of all statements but BEGIN and COMMIT."""
        statements: list[str] = []

        def record(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            statements.append(statement)

        engine = self.state.engine.sync_engine
        event.listen(engine, "before_cursor_execute", record)
        try:
            yield statements
        finally:
            event.remove(engine, "before_cursor_execute", record)


@asynccontextmanager
async def asking(url: str, **settings: str) -> AsyncIterator[Asking]:
    """Make the application over a database; `settings` as in the environment, without prefix."""
    # Whole types are asked for at once.
    wide = {"auth": "none", "max_cost": "10000000", "max_aliases": "200"} | settings
    given = {f"JOBLENS_{name.upper()}": value for name, value in wide.items()}
    app = create_app(Settings.read({"JOBLENS_DATABASE_URL": url, **given}))
    state: AppState = app.state.joblens
    yield Asking(state)
    await state.hub.stop()
    await state.engine.dispose()
