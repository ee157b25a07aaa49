"""`joblens org`: create and list organisations, and find one by id or name."""

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
CREATE_IT = "joblens org create NAME --id"

app = typer.Typer(
    help="The organisations that share this installation.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Its name.")],
    org_id: Annotated[
        UUID | None,
        typer.Option(
            "--id",
            help="Its id, if it already has one, as in imported jobs.",
            show_default="a new one",
        ),
    ] = None,
) -> None:
    """Create an organisation, and print its id."""
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
    """End the command if a name is invalid."""
    fault = name_fault(name)
    if fault is not None:
        fail(f"invalid name: {fault}")


@dataclass(frozen=True, slots=True)
class ChosenOrg:
    """The organisation of an import or export. `name`: None if it was never created."""

    id: UUID
    name: str | None
    is_default: bool

    def __str__(self) -> str:
        name = f"{self.name} ({self.id})" if self.name else f"{self.id}, which has no name yet"
        whose = " (JOBLENS_ORG, since there is no --org)" if self.is_default else ""
        remedy = "" if self.name else f"; to name it: {CREATE_IT} {self.id}"
        return f"the organisation {name}{whose}{remedy}"


async def find_org(session: AsyncSession, text: str) -> OrgRow:
    """Get the organisation with this id or name, or end the command."""
    org = await _find(session, text)
    if org is None:
        org_id = parse_uuid(text)
        if org_id is not None and await has_jobs(session, org_id):
            fail(f"the organisation {org_id} has jobs, but no name yet; run: {CREATE_IT} {org_id}")
        fail(f"there is no organisation {text}; see: joblens org list")
    return org


async def choose_org(
    url: str, text: str | None, default: UUID, *, may_be_new: bool = False
) -> ChosenOrg:
    """Get the organisation with this id or name, or the default one, or end the command.

    `may_be_new`: accept an id that is not known yet.
    """
    async with admin_session(url) as session:
        org = await _find(session, str(default) if text is None else text)
        if org is not None:
            return ChosenOrg(org.org_id, org.name, text is None)
        org_id = default if text is None else parse_uuid(text)
        if org_id is None or not (text is None or may_be_new or await has_jobs(session, org_id)):
            fail(f"there is no organisation {text}; see: joblens org list")
        return ChosenOrg(org_id, None, text is None)


async def _find(session: AsyncSession, text: str) -> OrgRow | None:
    org_id = parse_uuid(text)
    orgs = await list_orgs(session, org_id=org_id) if org_id else []
    orgs = orgs or await list_orgs(session, name=text)
    if len(orgs) > 1:
        fail(f"there are {len(orgs)} organisations {text}; give one by its id: joblens org list")
    return orgs[0] if orgs else None


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
    """List the organisations with a name, and the ids of those without."""
    async with admin_session(url) as session:
        named = list(await list_orgs(session))
        ids = {default, *[org_id async for org_id in list_org_ids_of_jobs(session)]}
        return named, sorted(ids - {row.org_id for row in named})
