"""`joblens export`: the ledger of one organisation as NDJSON."""

import asyncio
import os
import sys
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from db.statuses import JobStatus
from db.transfer import export_records
from server.cli.database import database, require_head
from server.cli.errors import read_settings
from server.cli.orgs import OrgOption, choose_org


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not an RFC 3339 time") from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no offset; add Z for UTC")
    return moment


def export_jobs(
    org: Annotated[str | None, OrgOption] = None,
    status: Annotated[
        list[JobStatus] | None,
        typer.Option(help="Only jobs that have this status; may be repeated.", show_default=False),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=_moment,
            metavar="TIME",
            help="Only jobs created at this time or later, such as 2026-01-31T08:00:00Z.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write jobs with their events to standard output, one JSON object a line, oldest first.

    Their number and organisation are written to standard error at the end.
    """
    settings = read_settings()
    with database(settings) as url:
        require_head(url)
        chosen = asyncio.run(choose_org(url, org, settings.org))
        try:
            count = asyncio.run(_write(url, chosen.id, status or [], since))
        except BrokenPipeError:
            # The reader has closed the pipe. Python would flush again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
    typer.echo(f"exported {count:,} jobs of {chosen}", err=True)


async def _write(url: str, org_id: UUID, statuses: list[JobStatus], since: datetime | None) -> int:
    count = 0
    async for line in export_records(url, org_id, statuses=statuses, since=since):
        sys.stdout.buffer.write(line)
        count += 1
    sys.stdout.buffer.flush()
    return count
