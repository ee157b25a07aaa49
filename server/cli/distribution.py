"""`joblens distribute`: spread the tables over the workers of Citus."""

import asyncio
from typing import Annotated

import typer

from db.distribution import NoCitusError, distribute
from server.cli.database import database, require_head
from server.cli.errors import fail, read_settings


def distribute_tables(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the SQL, and change nothing.")
    ] = False,
    shards: Annotated[
        int | None,
        typer.Option(
            min=1, max=64000, help="Shards of each table, instead of Citus's own setting."
        ),
    ] = None,
) -> None:
    """Distribute the tables by organisation over the workers of a database with Citus.

    Tables that are distributed already stay as they are. Later migrations distribute new tables.
    """
    with database(read_settings()) as url:
        require_head(url)
        try:
            sent = asyncio.run(distribute(url, shards, dry_run=dry_run))
        except NoCitusError:
            fail("the database does not have the extension citus; run: CREATE EXTENSION citus")
    if dry_run:
        typer.echo("".join(f"{statement};\n" for statement in sent), nl=False)
    elif sent:
        typer.echo(f"distributed {len(sent)} tables")
    else:
        typer.echo("all tables are distributed already")
