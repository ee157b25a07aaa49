"""The database of a command: the configured one, or the embedded one."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import typer
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from db import embedded, migrations
from db.admin_session import required_login
from db.checks import Check, check_row_security
from db.connections import connect
from server.cli.errors import fail, redacted
from server.settings import Settings

EMBEDDED = "JOBLENS_DATABASE_URL is not set: using the embedded database in"
DATABASE_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError)


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """Yield the URL of the database. An embedded one that was stopped is stopped again at the end.

    A database error in the body ends the command with one line.
    """
    if settings.database_url is None:
        typer.echo(f"{EMBEDDED} {settings.data_dir}", err=True)
        with embedded_database(settings.data_dir) as url:
            yield url
        return
    url = settings.database_url.get_secret_value()
    with explained(url):
        try:
            asyncio.run(_reach(url, settings.connect_timeout_seconds))
        except ValueError:
            # The error may quote a part of the URL, and so of the password.
            fail("JOBLENS_DATABASE_URL is not a usable PostgreSQL URI; see: joblens doctor --help")
        yield url


async def _reach(url: str, timeout_seconds: float) -> None:
    connection = await connect(url, "joblens check", timeout_seconds=timeout_seconds)
    await connection.close()


@contextmanager
def embedded_database(data_dir: Path) -> Iterator[str]:
    """Yield the URL of the embedded database, running while the body does."""
    try:
        server = embedded.start(data_dir)
    except embedded.EmbeddedError as error:
        fail(str(error))
    try:
        with explained(server.url):
            yield server.url
    finally:
        server.stop()


@contextmanager
def explained(url: str) -> Iterator[None]:
    """End the command with one line if the database is unavailable or refuses."""
    try:
        yield
    except (OSError, *DATABASE_ERRORS) as error:
        fail(f"the database {redacted(url)}: {reason(url, error)}")


def reason(url: str, error: Exception) -> str:
    """Explain an error of the database at `url`, and name the right login if rights are missing."""
    cause = original(error)
    message = str(cause).partition("\n")[0] or type(cause).__name__
    if not isinstance(cause, asyncpg.InsufficientPrivilegeError):
        return message
    try:
        wanted = asyncio.run(required_login(url))
    except (OSError, *DATABASE_ERRORS):
        return message
    return wanted or f"{message}; the roles that Joblens needs: docs/how-to/use-your-postgresql.md"


def original(error: Exception) -> Exception:
    """Get the driver's error from one of SQLAlchemy, whose message quotes the statement."""
    if isinstance(error, DBAPIError) and isinstance(error.orig, Exception):
        cause = error.orig.__cause__
        return cause if isinstance(cause, Exception) else error.orig
    return error


def require_head(url: str) -> None:
    """End the command, with the remedy, unless the database is at this version's revision."""
    current, head = asyncio.run(migrations.current(url)), migrations.head()
    if current is None:
        fail("the database has no tables of Joblens yet; run: joblens migrate")
    if current != head:
        fail(f"the database is at revision {current}, not {head}; run: joblens migrate")


def require_row_security(url: str) -> None:
    """End the command unless row level security applies to what this login would serve."""
    wrong = [check for check in asyncio.run(_row_security(url)) if not check.ok]
    if not wrong:
        return
    for check in wrong:
        typer.echo(f"joblens: {check.name}: {check.finding}; remedy: {check.remedy}", err=True)
    fail("not serving: row level security would not separate organisations on this database")


async def _row_security(url: str) -> list[Check]:
    return [check async for check in check_row_security(url)]
