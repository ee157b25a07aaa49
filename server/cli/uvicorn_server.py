"""Run uvicorn in the foreground: its socket, its processes, and the message once it listens."""

import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from ipaddress import ip_address

import typer
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from server.cli.errors import fail
from server.http.graphiql import is_offered
from server.settings import Settings
from server.uvicorn import websocket_protocol

APP = f"{__name__.removesuffix('cli.uvicorn_server')}app:create_app"
SHUTDOWN_SECONDS = 5

Announce = Callable[[socket.socket], None]


@contextmanager
def listen(settings: Settings, remedy: str = "--port") -> Iterator[socket.socket]:
    """Yield a socket on the settings' address, or end the command with the reason.

    `remedy`: the option that chooses another port.
    """
    host, port = settings.host, settings.port
    if host == "localhost":
        host = "127.0.0.1"
    try:
        address = ip_address(host)
    except ValueError:
        fail(f"{host} is not an address such as 0.0.0.0, 127.0.0.1, ::1 or localhost")
    if settings.auth == "none" and not address.is_loopback:
        fail(
            f"{host} is not a loopback address: with JOBLENS_AUTH=none every client is an admin, "
            "so only local clients are allowed; use 127.0.0.1, ::1 or localhost"
        )
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            # Listen early: only this detects another process on the same port. Early clients wait
            # until the server has started.
            listener.listen()
        except OSError as error:
            reason = f"cannot serve on {host} port {port}: {error.strerror}"
            fail(f"{reason}; choose another with {remedy}")
        yield listener


def address(listener: socket.socket) -> str:
    """Get the base URL of `listener`."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def announce(settings: Settings, listener: socket.socket) -> None:
    """Print the URLs served on `listener`."""
    base = address(listener)
    if settings.dashboard:
        typer.echo(f"dashboard  {base}/")
    typer.echo(f"{'GraphiQL' if is_offered(settings) else 'GraphQL':<9}  {base}/graphql")
    typer.echo(f"health     {base}/healthz")


def run(
    settings: Settings, url: str, listener: socket.socket, on_start: Announce | None = None
) -> None:
    """Serve on `listener` from the database `url` until SIGINT or SIGTERM.

    Calls `on_start`, by default `announce`, once the server has started. Leaves its signal
    handlers in place, so that another Ctrl-C does not interrupt the cleanup.
    """
    config = uvicorn.Config(
        APP,
        factory=True,
        loop="uvloop" if find_spec("uvloop") else "auto",
        **websocket_protocol.options(settings),
        # Not "auto", which treats a failed start as an application without lifespan.
        lifespan="on",
        workers=settings.workers,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    started = on_start or partial(announce, settings)
    with _environment(_environment_of_app(settings, url)):
        if config.workers > 1:
            _run_workers(config, listener, started)
        else:
            _run_here(config, listener, started)


def _environment_of_app(settings: Settings, url: str) -> Mapping[str, str]:
    """Get the environment variables from which the application reads its settings."""
    return {
        "JOBLENS_DATABASE_URL": url,
        "JOBLENS_AUTH": settings.auth,
        "JOBLENS_HOST": settings.host,
        "JOBLENS_PORT": str(settings.port),
        "JOBLENS_WORKERS": str(settings.workers),
        "JOBLENS_LOG_LEVEL": settings.log_level,
        "JOBLENS_AUDIT_LOG": str(settings.audit_log),
        "JOBLENS_MIRROR": str(settings.mirror),
    }


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, announce: Announce) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce((sockets or [])[0])


class _Supervisor(Multiprocess):
    def __init__(self, config: uvicorn.Config, listener: socket.socket, announce: Announce) -> None:
        super().__init__(config, [listener])
        self._announce = announce
        self._announced = False

    def keep_subprocess_alive(self) -> None:
        # Do not replace workers that do not respond yet because they are still importing.
        if self._announced or not all(process.process.is_alive() for process in self.processes):
            super().keep_subprocess_alive()
        elif all(process.is_ready(timeout=0.2) for process in self.processes):
            self._announced = True
            self._announce(self.sockets[0])


def _run_here(config: uvicorn.Config, listener: socket.socket, announce: Announce) -> None:
    server = _Server(config, announce)
    # uvicorn raises the signal again at its end, for the handler that it replaced.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, server.handle_exit)
    try:
        server.run([listener])
    except SystemExit as end:
        if end.code == STARTUP_FAILURE:
            fail("the server did not start")
        raise


def _run_workers(config: uvicorn.Config, listener: socket.socket, announce: Announce) -> None:
    listener.set_inheritable(True)
    supervisor = _Supervisor(config, listener, announce)
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        fail("the server did not start")
