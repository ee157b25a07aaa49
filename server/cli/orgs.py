"""`joblens org`: the organisations, and which of them a command means."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from db.admin_session import admin_session
from db.commands.orgs import create_org
from db.ids import new_id
from db.queries.orgs import OrgRow, has_jobs, list_org_ids_of_jobs, list_orgs
from db.validation import name_fault
from resolvers.ids import parse_uuid
from server.cli.database import database, require_head
from server.cli.errors import fail, read_settings
from server.cli.tables import moment, show

OrgOption = typer.Option(help="The organisation, by its id or name.", show_default="JOBLENS_ORG")
NAME_IT = "joblens org create NAME --id"

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
    """List the organisations: those that were created, those that have jobs, and JOBLENS_ORG."""
    settings = read_settings()
    with database(settings) as url:
        require_head(url)
        named, unnamed = asyncio.run(_list(url, settings.org))
    rows = [(row.org_id, row.name, moment(row.created_at)) for row in named]
    rows += [(org_id, "(no name yet)", "") for org_id in unnamed]
    show(
        ("id", "name", "created", ""),
        [
            (str(org_id), *cells, "JOBLENS_ORG" if org_id == settings.org else "")
            for org_id, *cells in rows
        ],
    )


def check_name(name: str) -> None:
    """End the command where a name cannot be one."""
    fault = name_fault(name)
    if fault is not None:
        fail(f"the name cannot be taken: {fault}")


@dataclass(frozen=True, slots=True)
class ChosenOrg:
    """Whose jobs a command moves; without a name where `org create` never gave it one."""

    id: UUID
    name: str | None
    is_default: bool

    def __str__(self) -> str:
        name = f"{self.name} ({self.id})" if self.name else f"{self.id}, which has no name yet"
        whose = " (JOBLENS_ORG, for no --org is given)" if self.is_default else ""
        remedy = "" if self.name else f"; to name it: {NAME_IT} {self.id}"
        return f"the organisation {name}{whose}{remedy}"


async def find_org(session: AsyncSession, text: str) -> OrgRow:
    """Get the organisation of this id or name, or end the command."""
    found = await _find(session, text)
    if found is None:
        org_id = parse_uuid(text)
        if org_id is not None and await has_jobs(session, org_id):
            fail(f"the organisation {org_id} has jobs, but no name yet; run: {NAME_IT} {org_id}")
        fail(f"there is no organisation {text}; see: joblens org list")
    return found


async def choose_org(
    url: str, text: str | None, default: UUID, *, may_be_new: bool = False
) -> ChosenOrg:
    """Get the organisation of this id or name, else the default one, or end the command.

    `may_be_new`: an id that is not known yet will do.
    """
    async with admin_session(url) as session:
        found = await _find(session, str(default) if text is None else text)
        if found is not None:
            return ChosenOrg(found.org_id, found.name, text is None)
        org_id = default if text is None else parse_uuid(text)
        if org_id is None or not (text is None or may_be_new or await has_jobs(session, org_id)):
            fail(f"there is no organisation {text}; see: joblens org list")
        return ChosenOrg(org_id, None, text is None)


async def _find(session: AsyncSession, text: str) -> OrgRow | None:
    org_id = parse_uuid(text)
    found = await list_orgs(session, org_id=org_id) if org_id else []
    found = found or await list_orgs(session, name=text)
    if len(found) > 1:
        fail(f"there are {len(found)} organisations {text}; give one by its id: joblens org list")
    return found[0] if found else None


async def _create(url: str, name: str, org_id: UUID | None) -> UUID:
    now = datetime.now(UTC)
    chosen = org_id or new_id(now)
    async with admin_session(url) as session:
        if await list_orgs(session, name=name):
            fail(f"there is an organisation {name} already; see: joblens org list")
        if not await create_org(session, chosen, name, now):
            fail(f"there is an organisation {chosen} already; see: joblens org list")
    return chosen


async def _list(url: str, default: UUID) -> tuple[list[OrgRow], list[UUID]]:
    """List those that have a name, and the ids of those that have none."""
    async with admin_session(url) as session:
        named = list(await list_orgs(session))
        ids = {default, *[org_id async for org_id in list_org_ids_of_jobs(session)]}
        return named, sorted(ids - {row.org_id for row in named})
