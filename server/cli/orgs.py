"""`joblens org`: the organisations, and which of them a command means."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from db.administration import administering
from db.commands.orgs import create_org
from db.faults import name_fault
from db.ids import new_id
from db.queries.orgs import OrgRow, list_orgs
from resolvers.ids import parse_uuid
from server.cli.database import database, require_head
from server.cli.failures import fail, read_settings
from server.cli.tables import moment, show

app = typer.Typer(
    help="The organisations that share this installation.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    org_id: Annotated[
        UUID | None,
        typer.Option(
            "--id",
            help="Its id, where it has one already, such as in imported jobs.",
            show_default="a new one",
        ),
    ] = None,
) -> None:
    """Make an organisation, and print its id."""
    check_name(name)
    with database(read_settings()) as url:
        require_head(url)
        typer.echo(asyncio.run(_create(url, name, org_id)))


@app.command("list")
def list_() -> None:
    """List the organisations."""
    with database(read_settings()) as url:
        require_head(url)
        rows = asyncio.run(_list(url))
        show(
            ("id", "name", "created"),
            [(str(row.org_id), row.name, moment(row.created_at)) for row in rows],
        )


def check_name(name: str) -> None:
    """End the command where a name cannot be one."""
    fault = name_fault(name)
    if fault is not None:
        fail(f"the name cannot be taken: {fault}")


async def find_org(session: AsyncSession, text: str) -> OrgRow:
    """Get the organisation of this id or name, or end the command."""
    org_id = parse_uuid(text)
    found = await list_orgs(session, org_id=org_id) if org_id else []
    found = found or await list_orgs(session, name=text)
    if not found:
        fail(f"there is no organisation {text}; see: joblens org list")
    if len(found) > 1:
        fail(f"there are {len(found)} organisations {text}; give one by its id: joblens org list")
    return found[0]


async def _create(url: str, name: str, org_id: UUID | None) -> UUID:
    now = datetime.now(UTC)
    chosen = org_id or new_id(now)
    async with administering(url) as session:
        if await list_orgs(session, name=name):
            fail(f"there is an organisation {name} already; see: joblens org list")
        if not await create_org(session, chosen, name, now):
            fail(f"there is an organisation {chosen} already; see: joblens org list")
    return chosen


async def _list(url: str) -> list[OrgRow]:
    async with administering(url) as session:
        return list(await list_orgs(session))
