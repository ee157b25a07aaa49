"""A real Joblens for tests: uvicorn on a free port, an HTTP client, and a record of its SQL."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette

from server import built_dashboard
from server.app import create_app
from server.app_state import AppState
from server.settings import Settings
from server.uvicorn.websocket_protocol import options
from tests.support.patience import PATIENCE_SECONDS, PATIENT
from tests.support.pooled import settings_for
from tests.support.statements import recorded

ORG = "00000000-0000-0000-0000-000000000001"
OTHER_ORG = "00000000-0000-0000-0000-000000000002"
# As clients do that know the newer media type, with its statuses.
ACCEPT = "application/graphql-response+json, */*;q=0.1"


class Api:
    """A Joblens that runs somewhere, as its clients know it."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def post(
        self, query: str, variables: dict[str, Any] | None = None, **headers: str
    ) -> httpx.Response:
        body = {"query": query, "variables": variables}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named["content-type"] = "application/json"
        # All but ASCII as escapes: so it may be half of a surrogate pair, too.
        return await self.client.post("/graphql", content=json.dumps(body), headers=named)

    async def query(
        self, query: str, variables: dict[str, Any] | None = None, **headers: str
    ) -> Any:
        """Get the data of a query that must not have errors."""
        answer = (await self.post(query, variables, **headers)).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def errors(self, query: str, variables: dict[str, Any] | None = None) -> list[Any]:
        """Get the errors of a query that must have some."""
        errors: list[Any] = (await self.post(query, variables)).json()["errors"]
        return errors


class Service(Api):
    """A Joblens in this process: `recorded` shows the statements that an answer took."""

    def __init__(self, client: httpx.AsyncClient, state: AppState) -> None:
        super().__init__(client)
        self.state = state

    @property
    def engine(self) -> AsyncEngine:
        """Get the engine that its requests run on."""
        return self.state.engine

    def recorded(self) -> AbstractContextManager[list[str]]:
        """Collect the SQL of all statements but BEGIN and COMMIT."""
        return recorded(self.engine)


@asynccontextmanager
async def serving(
    database_url: str, dashboard_folder: Path = built_dashboard.FOLDER, **settings: str
) -> AsyncIterator[Service]:
    """Serve a database; `settings` as in the environment, without their prefix: `page_size_max`."""
    # Authentication is tested in tests/server/auth.
    pooled = settings_for(database_url)
    given = {"database_url": database_url, "auth": "none"} | PATIENT | pooled | settings
    chosen = Settings.read({f"JOBLENS_{name.upper()}": value for name, value in given.items()})
    app = create_app(chosen, dashboard_folder)
    async with running(app, chosen) as base_url, client_of(base_url) as client:
        yield Service(client, app.state.joblens)


@asynccontextmanager
async def running(
    app: Starlette, settings: Settings, **options_of_uvicorn: Any
) -> AsyncIterator[str]:
    """Run an application by uvicorn on a free port, and get its base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    # Plain asyncio does not set it for such a socket; every answer would wait 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    port = listener.getsockname()[1]
    chosen = options(settings) | options_of_uvicorn
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, **chosen))
    # The test's own signal handlers stay.
    server.capture_signals = _leave_signals  # type: ignore[method-assign]
    served = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await served


def client_of(base_url: str) -> httpx.AsyncClient:
    """Make a client that has patience, and knows the newer media type."""
    headers = {"accept": ACCEPT}
    # Without TLS: reading certificates would take longer than starting the service.
    return httpx.AsyncClient(
        base_url=base_url, headers=headers, timeout=PATIENCE_SECONDS, verify=False
    )


@contextmanager
def _leave_signals() -> Iterator[None]:
    yield
