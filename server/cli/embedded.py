"""`joblens db`: start and stop the embedded PostgreSQL."""

import typer

from db import embedded
from server.cli.errors import fail, read_settings
from server.settings import Settings

app = typer.Typer(
    help="The embedded PostgreSQL, which Joblens uses while JOBLENS_DATABASE_URL is unset.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("url")
def url() -> None:
    """Print the URL of the running embedded database, for psql and other tools."""
    data_dir = _settings().data_dir
    try:
        running_url = embedded.find(data_dir)
    except embedded.EmbeddedError as error:
        fail(str(error))
    if running_url is None:
        fail(f"no embedded database is running in {data_dir}; run: joblens db start")
    typer.echo(running_url)


@app.command("start")
def start() -> None:
    """Start the embedded database, which then runs until `joblens db stop`; print its URL."""
    try:
        server = embedded.start(_settings().data_dir)
        server.keep_running()
        server.stop()
    except embedded.EmbeddedError as error:
        fail(str(error))
    typer.echo(server.url)


@app.command("stop")
def stop() -> None:
    """Stop the embedded database, even if other processes use it."""
    data_dir = _settings().data_dir
    try:
        stopped = embedded.shutdown(data_dir)
    except embedded.EmbeddedError as error:
        fail(str(error))
    typer.echo("stopped" if stopped else f"no embedded database was running in {data_dir}")


def _settings() -> Settings:
    settings = read_settings()
    if settings.database_url is not None:
        fail("JOBLENS_DATABASE_URL is set, so the embedded database is not in use; unset it first")
    return settings
