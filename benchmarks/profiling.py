"""Where the time of the nested page goes: the application in this process, under cProfile."""

import asyncio
import cProfile
import pstats
from contextlib import redirect_stderr
from io import StringIO
from typing import Any

import orjson

from benchmarks import queries
from server.app import create_app
from server.logging.setup import configure
from server.settings import Settings

REQUESTS = 100
WARM_UP_REQUESTS = 20
TOP = 30


async def profile(url: str) -> None:
    """Print the functions that take most time themselves."""
    app = create_app(Settings.read({"JOBLENS_DATABASE_URL": url, "JOBLENS_AUTH": "none"}))
    profiler = cProfile.Profile()
    # Log lines cost what they cost, unseen.
    with redirect_stderr(StringIO()):
        configure("json", "info")
        for _ in range(WARM_UP_REQUESTS):
            await _post(app, queries.NESTED)
        profiler.enable()
        for _ in range(REQUESTS):
            await _post(app, queries.NESTED)
        profiler.disable()
    await app.state.joblens.engine.dispose()
    print(f"{REQUESTS} requests, one after another. Under the profiler, calls seem too dear.")
    pstats.Stats(profiler).sort_stats(pstats.SortKey.TIME).print_stats(TOP)


async def _post(app: Any, query: str) -> None:
    sent: list[dict[str, Any]] = []
    received = iter([{"type": "http.request", "body": orjson.dumps({"query": query})}])

    async def receive() -> dict[str, Any]:
        for message in received:
            return message
        # The client waits for its answer.
        return await asyncio.get_running_loop().create_future()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"accept", b"application/json")],
    }
    await app(scope, receive, send)
    assert sent[0]["status"] == 200, sent  # noqa: PLR2004
