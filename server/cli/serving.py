"""`joblens serve` and `joblens demo`: which database, and how to end. Not: the HTTP server."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from socket import socket
from typing import Annotated

import typer

from demo.simulation import simulated_workers
from server.cli.database import database, embedded_database, require_head, require_row_security
from server.cli.demo_data import prepare
from server.cli.errors import fail, read_settings
from server.cli.uvicorn_server import address, announce, listen, run
from server.document_rules import make_rules
from server.settings import Settings, SettingsError

Host = Annotated[
    str | None,
    typer.Option(help="The address to serve on.", show_default="JOBLENS_HOST"),
]
Port = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65535,
        help="The port to serve on; 0 takes a free one.",
        show_default="JOBLENS_PORT",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, max=64, help="How many processes serve.", show_default="JOBLENS_WORKERS"),
]

# What to try, shown on a terminal.
INVITATION = """
  Joblens is at {url}

  Open it in a browser: GraphiQL, with examples that run on a sample history.
  Or ask from another terminal, such as which jobs failed last:

    curl -sG {url} --data-urlencode 'query={{
      jobs(filter: {{status: [FAILED]}}, first: 3) {{
        nodes {{ type lastErrorCode }}
      }}
    }}'

  A tour of ten minutes is in docs/tutorial/first-steps.md. Ctrl-C ends it.
"""


def serve(host: Host = None, port: Port = None, workers: Workers = None) -> None:
    """Serve the GraphQL API until Ctrl-C.

    The database must have been migrated. Without JOBLENS_DATABASE_URL it is the embedded one.
    Clients need a token, unless JOBLENS_AUTH says otherwise: joblens token create.
    """
    settings = _settings(host=host, port=port, workers=workers)
    with (
        _until_stopped(),
        listen(settings) as listener,
        database(settings) as url,
    ):
        require_head(url)
        require_row_security(url)
        run(settings, url, listener)


def demo(
    host: Host = None,
    port: Port = None,
    still: Annotated[
        bool, typer.Option("--still", help="Leave out the simulated workers.")
    ] = False,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh",
            help="First delete all jobs of the demo's three organisations, to begin it again.",
        ),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show all of the log, on a terminal too.")
    ] = False,
) -> None:
    """Serve a sample history from the embedded database until Ctrl-C; sets up all it needs.

    A few simulated workers record new jobs meanwhile, so that there is something to watch. It asks
    for no token, and serves on loopback addresses only. On a terminal it shows its URL and what to
    try, and of the log only warnings and errors, unless JOBLENS_LOG_LEVEL is set.
    """
    settings = _settings(host=host, port=port)
    if "auth" in settings.model_fields_set and settings.auth != "none":
        fail("the demo asks for no credentials: unset JOBLENS_AUTH, or use serve")
    settings = settings.model_copy(update={"auth": "none"})
    if settings.database_url is not None:
        fail("the demo uses the embedded database only: unset JOBLENS_DATABASE_URL, or use serve")
    if not verbose:
        settings = _quiet_on_a_terminal(settings)
    with (
        _until_stopped(),
        listen(settings, f"--port, or: make demo PORT={settings.port + 1}") as listener,
        embedded_database(settings.data_dir) as url,
        ExitStack() as life,
    ):
        asyncio.run(prepare(url, fresh=fresh))

        def begin(listener: socket) -> None:
            (_invite if sys.stdout.isatty() else announce)(listener)
            if not still:
                life.enter_context(simulated_workers(f"{address(listener)}/graphql"))

        run(settings, url, listener, begin)


def _quiet_on_a_terminal(settings: Settings) -> Settings:
    """Leave the log to what is wrong where it would share a terminal with the invitation."""
    if not sys.stderr.isatty() or "log_level" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"log_level": "warning", "audit_log": False})


def _invite(listener: socket) -> None:
    typer.echo(INVITATION.format(url=f"{address(listener)}/graphql"))


def _settings(**given: str | int | None) -> Settings:
    options = {name: value for name, value in given.items() if value is not None}
    settings = read_settings().model_copy(update=options)
    try:
        # Each process of the server does it again, but says it less plainly.
        make_rules(settings)
    except SettingsError as error:
        fail(str(error))
    return settings


@contextmanager
def _until_stopped() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the body in good order: that is how a server ends."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
