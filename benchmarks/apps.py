"""Several applications of Joblens in one process, each on a port of its own.

`python -m benchmarks.apps JSON`: a list of settings, as in the environment without their prefix.
Writes the ports as a JSON list once all have started. In one process they share the seed of hashes,
the memory and the modules, by which two processes of one program differ by some per cent.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import uvicorn
import uvloop

from server.app import create_app
from server.settings import Settings
from server.uvicorn.websocket_protocol import options

# Connections are kept while others take their turns.
KEEP_ALIVE_SECONDS = 3_600


class _Server(uvicorn.Server):
    """One of several: signals are those of all of them."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        """Leave them alone."""
        return nullcontext()


def _server(url: str, given: Mapping[str, str]) -> _Server:
    named = {f"JOBLENS_{name.upper()}": value for name, value in given.items()}
    settings = Settings.read({**named, "JOBLENS_DATABASE_URL": url})
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        lifespan="on",
        log_config=None,
        access_log=False,
        **options(settings),
    )
    return _Server(config)


async def _serve(url: str, contestants: Sequence[Mapping[str, str]]) -> None:
    servers = [_server(url, given) for given in contestants]
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in servers]

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    running = [
        asyncio.create_task(server.serve([listener]))
        for server, listener in zip(servers, listeners, strict=True)
    ]
    while not all(server.started for server in servers):  # noqa: ASYNC110 - it has no event for it
        await asyncio.sleep(0.01)
    print(json.dumps([each.getsockname()[1] for each in listeners]), flush=True)
    await asyncio.gather(*running)


if __name__ == "__main__":
    uvloop.run(_serve(os.environ["BENCHMARK_DATABASE_URL"], json.loads(sys.argv[1])))
