"""`joblens migrate`: upgrade a database to this version, or check whether it is."""

import asyncio
from typing import Annotated

import typer
from alembic.util import CommandError

from db import migrations
from db.restored_events import clear_transaction_ids
from server.cli.database import database
from server.cli.errors import INCOMPLETE, fail, read_settings


def migrate(
    sql: Annotated[
        bool,
        typer.Option("--sql", help="Print the SQL that creates the tables in an empty database."),
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 unless the database is at head.")
    ] = False,
) -> None:
    """Create or update the tables of Joblens in the database.

    After a dump was restored, run it too: it marks the restored events as history.
    """
    if sql and check:
        fail("--sql and --check exclude each other")
    if sql:
        typer.echo(migrations.sql(), nl=False)
        return
    with database(read_settings()) as url:
        before, head = asyncio.run(migrations.current(url)), migrations.head()
        if check and before != head:
            fail(f"the database is at {before or 'no revision'}, not {head}", INCOMPLETE)
        if before != head:
            _upgrade(url)
        # Before any output: a login without the rights gets only an error.
        restored = 0 if check else asyncio.run(clear_transaction_ids(url))
        if before == head:
            typer.echo(f"the database is at head already ({head})")
        else:
            typer.echo(f"migrated the database from {before or 'no revision'} to {head}")
        if restored:
            typer.echo(f"marked as history: restored events of {restored} organisations")


def _upgrade(url: str) -> None:
    try:
        asyncio.run(migrations.upgrade(url))
    except CommandError as error:
        fail(f"{error} (was this database migrated by a newer Joblens?)")
