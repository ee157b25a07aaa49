"""The database of a command: the one that the settings name, else the embedded one."""

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
from server.cli.errors import fail, redacted
from server.settings import Settings

EMBEDDED = "JOBLENS_DATABASE_URL is not set: this is the embedded database in"
DATABASE_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError)


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """Yield the URL of the ledger's database; an embedded one is left as it was found.

    Errors of the database that the body meets end the command with one line.
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
            # Its words may quote a part of the URL, and with it of a password.
            fail("JOBLENS_DATABASE_URL is not a usable PostgreSQL URI; see: joblens doctor --help")
        yield url


async def _reach(url: str, timeout_seconds: float) -> None:
    connection = await asyncpg.connect(url, timeout=timeout_seconds)
    await connection.close()


@contextmanager
def embedded_database(data_dir: Path) -> Iterator[str]:
    """Yield the URL of the embedded database, running for as long as the body does."""
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
    """End the command with one line where the database is away or refuses."""
    try:
        yield
    except (OSError, *DATABASE_ERRORS) as error:
        fail(f"the database {redacted(url)}: {reason(url, error)}")


def reason(url: str, error: Exception) -> str:
    """Say why the database at `url` refuses: in words where its login has too few rights."""
    cause = original(error)
    words = str(cause).partition("\n")[0] or type(cause).__name__
    if not isinstance(cause, asyncpg.InsufficientPrivilegeError):
        return words
    try:
        wanted = asyncio.run(required_login(url))
    except (OSError, *DATABASE_ERRORS):
        return words
    return wanted or f"{words}; the roles that Joblens needs: docs/how-to/use-your-postgresql.md"


def original(error: Exception) -> Exception:
    """Get the driver's own error out of one of SQLAlchemy, which quotes the statement."""
    if isinstance(error, DBAPIError) and isinstance(error.orig, Exception):
        cause = error.orig.__cause__
        return cause if isinstance(cause, Exception) else error.orig
    return error


def require_head(url: str) -> None:
    """End the command unless the database has the tables of this Joblens, with what mends it."""
    current, head = asyncio.run(migrations.current(url)), migrations.head()
    if current is None:
        fail("the database has no tables of Joblens yet; run: joblens migrate")
    if current != head:
        fail(f"the database is at revision {current}, not {head}; run: joblens migrate")


def require_row_security(url: str) -> None:
    """End the command unless row level security binds what would be served through this login."""
    wrong = [check for check in asyncio.run(_row_security(url)) if not check.ok]
    if not wrong:
        return
    for check in wrong:
        typer.echo(f"joblens: {check.name}: {check.finding}; remedy: {check.remedy}", err=True)
    fail("not serving: row level security would not keep organisations apart on this database")


async def _row_security(url: str) -> list[Check]:
    return [check async for check in check_row_security(url)]
