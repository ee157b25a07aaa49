"""`joblens serve` and `joblens demo`: choose the database, run the server, and shut down."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from socket import socket
from typing import Annotated, Literal

import typer

from demo.simulation import simulated_workers
from server.cli.database import database, embedded_database, require_head, require_row_security
from server.cli.demo_data import prepare
from server.cli.demo_queue import DATABASE, SOURCE, real_queue, require_packages
from server.cli.errors import fail, read_settings
from server.cli.uvicorn_server import address, announce, listen, listen_for_metrics, run
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
  Joblens is at {home}

  Open it in a browser, on a sample history of jobs. The GraphQL API is at
  /graphql: in a browser GraphiQL, with examples. Or query it from another
  terminal, here for the jobs that failed last:

    curl -sG {url} --data-urlencode 'query={{
      jobs(filter: {{status: [FAILED]}}, first: 3) {{
        nodes {{ type lastErrorCode }}
      }}
    }}'

  A ten-minute tour: docs/tutorial/first-steps.md. Press Ctrl-C to stop.
"""

QUEUE_INVITATION = """
  Joblens is at {home}

  A real queue, Procrastinate, runs in a database of its own. Its jobs succeed,
  fail, are tried again, wait, and are cancelled. Joblens reads its tables and
  shows the jobs as they change: open the URL in a browser, or ask for the
  newest jobs from another terminal:

    curl -sG {url} --data-urlencode 'query={{
      jobs(first: 8) {{ nodes {{ type status attempt source {{ name }} }} }}
    }}'

  The queue deletes jobs an hour after their end; Joblens keeps them. The
  sample history is there, too, but no workers are simulated.

  Your own queue: docs/how-to/mirror-a-queue.md. Press Ctrl-C to stop.
"""


def serve(host: Host = None, port: Port = None, workers: Workers = None) -> None:
    """Serve the GraphQL API until Ctrl-C.

    The database must have been migrated. Without JOBLENS_DATABASE_URL it is the embedded one.
    Clients need a token (joblens token create), unless JOBLENS_AUTH is set.
    """
    settings = _settings(host=host, port=port, workers=workers)
    with (
        _until_stopped(),
        listen(settings) as listener,
        listen_for_metrics(settings) as metrics,
        database(settings) as url,
    ):
        require_head(url)
        require_row_security(url)
        run(settings, url, listener, metrics=metrics)


def demo(
    host: Host = None,
    port: Port = None,
    still: Annotated[bool, typer.Option("--still", help="Do not simulate workers.")] = False,
    queue: Annotated[
        Literal["procrastinate"] | None,
        typer.Option(
            help="Run a real queue with a worker, mirrored live, in place of simulated workers. "
            "Needs the extra joblens[queue-demo].",
            show_default=False,
        ),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh",
            help="First delete all jobs of the demo's three organisations, to start over.",
        ),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show the whole log, even on a terminal.")
    ] = False,
) -> None:
    """Serve a sample history from the embedded database until Ctrl-C; sets up all it needs.

    A few simulated workers record new jobs, so that there is something to watch; with --queue, a
    real queue runs, and is followed as by joblens mirror run. It needs no token, and serves on
    loopback addresses only. On a terminal it shows its URL, what to try, and only warnings and
    errors of the log, unless JOBLENS_LOG_LEVEL is set.
    """
    settings = _settings(host=host, port=port)
    if "auth" in settings.model_fields_set and settings.auth != "none":
        fail("the demo has no authentication: unset JOBLENS_AUTH, or use serve")
    settings = settings.model_copy(update={"auth": "none"})
    if settings.database_url is not None:
        fail("the demo uses the embedded database only: unset JOBLENS_DATABASE_URL, or use serve")
    if queue is not None:
        require_packages()
        settings = settings.model_copy(update={"mirror": True})
    if not verbose:
        settings = _quiet_on_a_terminal(settings)
    with (
        _until_stopped(),
        listen_for_metrics(settings) as metrics,
        listen(settings, f"--port, or: make demo PORT={settings.port + 1}") as listener,
        embedded_database(settings.data_dir) as url,
        ExitStack() as stack,
    ):
        asyncio.run(prepare(url, fresh=fresh))
        if queue is not None:
            stack.enter_context(real_queue(url, settings.org))

        def on_start(listener: socket) -> None:
            _tell(settings, listener, has_queue=queue is not None)
            if queue is None and not still:
                stack.enter_context(simulated_workers(f"{address(listener)}/graphql"))

        run(settings, url, listener, on_start, metrics)


def _quiet_on_a_terminal(settings: Settings) -> Settings:
    """Log only warnings and errors if the log is shown on a terminal."""
    if not sys.stderr.isatty() or "log_level" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"log_level": "warning", "audit_log": False})


def _tell(settings: Settings, listener: socket, *, has_queue: bool) -> None:
    """Say where Joblens is, and on a terminal what to try."""
    if sys.stdout.isatty():
        invitation = QUEUE_INVITATION if has_queue else INVITATION
        base = address(listener)
        url = f"{base}/graphql"
        home = f"{base}/" if settings.dashboard else url
        typer.echo(invitation.format(home=home, url=url))
        return
    announce(settings, listener)
    if has_queue:
        typer.echo(f"queue     {SOURCE.kind}, in the database {DATABASE}")


def _settings(**given: str | int | None) -> Settings:
    options = {name: value for name, value in given.items() if value is not None}
    settings = read_settings().model_copy(update=options)
    try:
        # Each server process does it again, but its error is harder to read.
        make_rules(settings)
    except SettingsError as error:
        fail(str(error))
    return settings


@contextmanager
def _until_stopped() -> Iterator[None]:
    """End the body without an error on Ctrl-C and SIGTERM."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
