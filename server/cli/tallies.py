"""`joblens tally`: sum the events of all organisations at once, with a progress bar."""

import asyncio
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from sqlalchemy.ext.asyncio import AsyncEngine

from db.tallies.summing import Outcome, event_times, forget, sum_once
from db.tallies.tallier import create_tally_engine, list_untallied_orgs
from server.cli.database import database, require_head
from server.cli.errors import read_settings
from server.cli.orgs import OrgOption, choose_org

BUSY_SECONDS = 1.0
MIGRATE = "run `joblens migrate` first"


def tally(
    org: Annotated[str | None, OrgOption] = None,
    rebuild: Annotated[
        bool,
        typer.Option("--rebuild", help="First delete the sums of the organisation."),
    ] = False,
) -> None:
    """Sum the events that are not summed yet, as `joblens serve` does in the background.

    For the first time, which takes minutes for millions of jobs, and after an import. Can be
    interrupted at any point. Without --org it sums those of all organisations.
    """
    settings = read_settings()
    console = Console(stderr=True)
    with database(settings) as url:
        require_head(url)
        chosen = None
        if org is not None or rebuild:
            chosen = asyncio.run(choose_org(url, org, settings.org)).id
        count = asyncio.run(_tally(url, chosen, rebuild, settings.tally_max_keys, console))
    typer.echo(f"summed the events of {count:,} organisation{'' if count == 1 else 's'}", err=True)


async def _tally(
    url: str, chosen: UUID | None, rebuild: bool, max_keys: int, console: Console
) -> int:
    engine = create_tally_engine(url)
    try:
        if chosen is not None and rebuild:
            await forget(engine, chosen)
        untallied = await list_untallied_orgs(engine)
        org_ids = [each for each in untallied if chosen in {None, each}]
        with _progress(console) as bar:
            for org_id in org_ids:
                await _sum(engine, org_id, max_keys, bar)
        return len(org_ids)
    finally:
        await engine.dispose()


async def _sum(engine: AsyncEngine, org_id: UUID, max_keys: int, bar: Progress) -> None:
    first, last = await event_times(engine, org_id)
    task = bar.add_task(str(org_id), total=1.0)
    outcome = Outcome.MORE
    while outcome in {Outcome.MORE, Outcome.BUSY}:
        step = await sum_once(engine, org_id, max_keys=max_keys)
        outcome = step.outcome
        if step.until is not None:
            bar.update(task, completed=_share(first, step.until, last))
        if outcome is Outcome.BUSY:
            await asyncio.sleep(BUSY_SECONDS)
    bar.remove_task(task)
    if outcome is Outcome.FOREIGN:
        typer.echo(f"{org_id} has events restored from another server: {MIGRATE}", err=True)


def _share(first: datetime, until: datetime, last: datetime) -> float:
    whole = max(last - first, timedelta(microseconds=1))
    return min(1.0, max(0.0, (until - first) / whole))


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
