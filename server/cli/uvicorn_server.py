"""Run uvicorn in the foreground: its socket, its processes, and the message once it listens."""

import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from ipaddress import IPv4Address, IPv6Address, ip_address

import typer
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from server.cli.errors import fail
from server.cli.instrumentation import instrumentation
from server.http.graphiql import is_offered
from server.observability.folder import forget_process, shared_folder
from server.settings import Settings
from server.uvicorn import websocket_protocol

APP = f"{__name__.removesuffix('cli.uvicorn_server')}app:create_app"
SHUTDOWN_SECONDS = 5
# So long a worker that is still importing is waited for; meanwhile no signal is handled.
READY_SECONDS = 0.2

Announce = Callable[[socket.socket], None]


@contextmanager
def listen(settings: Settings, remedy: str = "--port") -> Iterator[socket.socket]:
    """Yield a socket on the settings' address, or end the command with the reason.

    `remedy`: the option that chooses another port.
    """
    host = settings.host
    address = _ip_address(host)
    if settings.auth == "none" and not address.is_loopback:
        fail(
            f"{host} is not a loopback address: with JOBLENS_AUTH=none every client is an admin, "
            "so only local clients are allowed; use 127.0.0.1, ::1 or localhost"
        )
    with _listening(host, settings.port, f"choose another with {remedy}") as listener:
        yield listener


@contextmanager
def listen_for_metrics(settings: Settings) -> Iterator[socket.socket | None]:
    """Yield a socket on the address of metrics, or None if they have none of their own."""
    if settings.metrics_port is None:
        yield None
        return
    remedy = "set JOBLENS_METRICS_PORT"
    with _listening(settings.metrics_host, settings.metrics_port, remedy) as listener:
        yield listener


def _ip_address(host: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        fail(f"{host} is not an address such as 0.0.0.0, 127.0.0.1, ::1 or localhost")


@contextmanager
def _listening(host: str, port: int, remedy: str) -> Iterator[socket.socket]:
    address = _ip_address(host)
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((str(address), port))
            # Listen early: only this detects another process on the same port. Early clients wait
            # until the server has started.
            listener.listen()
        except OSError as error:
            reason = f"cannot serve on {host} port {port}: {error.strerror}"
            fail(f"{reason}; {remedy}")
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
    settings: Settings,
    url: str,
    listener: socket.socket,
    on_start: Announce | None = None,
    metrics: socket.socket | None = None,
) -> None:
    """Serve on `listener` from the database `url` until SIGINT or SIGTERM; metrics on `metrics`.

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
    announce_all = on_start or partial(announce, settings)

    def started(listener: socket.socket) -> None:
        if metrics is not None:
            typer.echo(f"metrics    {address(metrics)}/metrics")
        announce_all(listener)

    listeners = [listener] if metrics is None else [listener, metrics]
    is_shared = settings.has_metrics and config.workers > 1
    variables = _environment_of_app(settings, url)
    if config.workers > 1 and settings.traces:
        variables.update(instrumentation())
    if metrics is not None:
        variables["JOBLENS_METRICS_PORT"] = str(metrics.getsockname()[1])
    with shared_folder(is_needed=is_shared) as shared, _environment({**variables, **shared}):
        if config.workers > 1:
            _run_workers(config, listeners, started)
        else:
            _run_here(config, listeners, started)


def _environment_of_app(settings: Settings, url: str) -> dict[str, str]:
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


def is_ready(process: Process) -> bool:
    """Ask a worker whether it has started.

    Questions that it could not answer while it was importing are answered later, all of them with
    no: their answers are left out, or each would stand for that of a question of long after.
    """
    try:
        while process.parent_conn.poll():
            process.parent_conn.recv()
    except (OSError, EOFError):
        return False
    return process.is_ready(timeout=READY_SECONDS)


class _Supervisor(Multiprocess):
    def __init__(
        self, config: uvicorn.Config, listeners: list[socket.socket], announce: Announce
    ) -> None:
        super().__init__(config, listeners)
        self._announce = announce
        self._announced = False
        self._pids: set[int] = set()

    def keep_subprocess_alive(self) -> None:
        # Do not replace workers that do not respond yet because they are still importing.
        if self._announced or not all(process.process.is_alive() for process in self.processes):
            super().keep_subprocess_alive()
        elif all(is_ready(process) for process in self.processes):
            self._announced = True
            self._announce(self.sockets[0])
        self._forget_ended()

    def _forget_ended(self) -> None:
        """Remove what processes that were replaced have left in the metrics."""
        pids = {pid for process in self.processes if (pid := process.process.pid) is not None}
        for pid in self._pids - pids:
            forget_process(pid)
        self._pids = pids


def _run_here(config: uvicorn.Config, listeners: list[socket.socket], announce: Announce) -> None:
    server = _Server(config, announce)
    # uvicorn raises the signal again at its end, for the handler that it replaced.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, server.handle_exit)
    try:
        server.run(listeners)
    except SystemExit as end:
        if end.code == STARTUP_FAILURE:
            fail("the server did not start")
        raise


def _run_workers(
    config: uvicorn.Config, listeners: list[socket.socket], announce: Announce
) -> None:
    for each in listeners:
        each.set_inheritable(True)
    supervisor = _Supervisor(config, listeners, announce)
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        fail("the server did not start")
