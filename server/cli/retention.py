"""`joblens retention`: set, list and remove the policies by which jobs are deleted."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer

from db.admin_session import admin_session
from db.ids import new_id
from db.retention.policies import ANY, Policy, pattern_fault
from db.retention.store import PolicyRow, list_policies, policy_of_row, remove_policy, set_policy
from db.statuses import TERMINAL_STATUSES, JobStatus
from server.cli.database import database, require_head
from server.cli.durations import duration, show_duration
from server.cli.errors import fail, read_settings
from server.cli.orgs import OrgOption, choose_org
from server.cli.tables import moment, show

ENDED = ", ".join(sorted(TERMINAL_STATUSES))

app = typer.Typer(
    help="How long jobs are kept after they have ended. Without a policy they are kept for ever.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def _status(text: str) -> JobStatus:
    if text not in TERMINAL_STATUSES:
        raise typer.BadParameter(f"{text!r} is not one of {ENDED}")
    return JobStatus(text)


def _type(text: str) -> str:
    if (fault := pattern_fault(text)) is not None:
        raise typer.BadParameter(f"{text!r}: {fault}")
    return text


@app.command("set")
def set_(
    keep: Annotated[
        timedelta,
        typer.Option(parser=duration, metavar="TIME", help="How long, such as 90d, 12h or 30m."),
    ],
    org: Annotated[str | None, OrgOption] = None,
    status: Annotated[
        JobStatus | None,
        typer.Option(
            parser=_status,
            metavar="STATUS",
            help=f"Only of jobs that ended with this status: {ENDED}.",
            show_default="any",
        ),
    ] = None,
    type_: Annotated[
        str | None,
        typer.Option(
            "--type",
            parser=_type,
            metavar="TYPE",
            help="Only of jobs of this type, or of types that begin like it: `report.*`.",
            show_default="any",
        ),
    ] = None,
) -> None:
    """Set how long jobs are kept, and print the policy's id.

    A policy of the same status and type is changed. Of several policies that match a job, the one
    with the most specific type counts; of these, the one with a status.
    """
    settings = read_settings()
    pattern = None if type_ == ANY else type_
    with database(settings) as url:
        require_head(url)
        chosen = asyncio.run(choose_org(url, org, settings.org))
        policy = asyncio.run(_set(url, chosen.id, status, pattern, keep))
    typer.echo(policy.id)
    typer.echo(f"kept for {show_duration(keep)}: jobs of {policy} of {chosen}", err=True)


@app.command("list")
def list_(
    org: Annotated[
        str | None,
        typer.Option(help="Only of this organisation, by its id or name.", show_default=False),
    ] = None,
) -> None:
    """List the policies."""
    settings = read_settings()
    with database(settings) as url:
        require_head(url)
        chosen = None if org is None else asyncio.run(choose_org(url, org, settings.org)).id
        rows = asyncio.run(_list(url, chosen))
    show(
        ("id", "organisation", "status", "type", "keep", "created"),
        [
            (
                *(str(row.id), row.org_name or str(row.org_id)),
                *(row.status or "any", row.type or "any"),
                *(show_duration(policy_of_row(row).keep), moment(row.created_at)),
            )
            for row in rows
        ],
    )


@app.command("remove")
def remove(
    policy_id: Annotated[UUID, typer.Argument(metavar="ID", help="The policy's id, as listed.")],
) -> None:
    """Remove a policy: it deletes no more jobs."""
    with database(read_settings()) as url:
        require_head(url)
        if not asyncio.run(_remove(url, policy_id)):
            fail(f"there is no policy {policy_id}; see: joblens retention list")
    typer.echo(f"removed {policy_id}")


async def _set(
    url: str, org_id: UUID, status: JobStatus | None, type_: str | None, keep: timedelta
) -> Policy:
    now = datetime.now(UTC)
    async with admin_session(url) as session:
        return await set_policy(session, org_id, Policy(new_id(now), status, type_, keep), now)


async def _list(url: str, org_id: UUID | None) -> list[PolicyRow]:
    async with admin_session(url) as session:
        return list(await list_policies(session, org_id))


async def _remove(url: str, policy_id: UUID) -> bool:
    async with admin_session(url) as session:
        return await remove_policy(session, policy_id)
