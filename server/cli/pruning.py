"""`joblens prune`: delete the jobs that no retention policy keeps."""

import asyncio
from collections import Counter
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from db.retention.policies import Policy
from db.retention.pruner import Pace, prune
from db.retention.pruning import Outcome, create_prune_engine, list_prunable_orgs
from server.cli.database import database, require_head
from server.cli.errors import read_settings
from server.cli.orgs import choose_org
from server.cli.tables import show
from server.settings import Settings

BUSY_SECONDS = 1.0
Counts = dict[UUID, Counter[Policy]]


def prune_jobs(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count the jobs that would be deleted.")
    ] = False,
    org: Annotated[
        str | None,
        typer.Option(help="Only of this organisation, by its id or name.", show_default="all"),
    ] = None,
) -> None:
    """Delete the jobs that no retention policy keeps, as `joblens serve` does in the background.

    In small transactions, the job that ended first before the others. Can be interrupted at any
    point. Prints how many jobs were deleted by each policy.
    """
    settings = read_settings()
    counts: Counts = {}
    with database(settings) as url:
        require_head(url)
        chosen = None
        if org is not None:
            chosen = asyncio.run(choose_org(url, org, settings.org)).id
        try:
            asyncio.run(_prune(url, chosen, settings, counts, dry_run=dry_run))
        finally:
            _show(counts, dry_run=dry_run)


async def _prune(
    url: str, chosen: UUID | None, settings: Settings, counts: Counts, *, dry_run: bool
) -> None:
    pace = Pace(settings.prune_batch_size, settings.prune_pause_ratio)
    engine = create_prune_engine(url)
    try:
        for org_id in await list_prunable_orgs(engine):
            if chosen in {None, org_id}:
                counts[org_id] = Counter()
                await _prune_one(engine, org_id, pace, counts[org_id], dry_run=dry_run)
    finally:
        await engine.dispose()


async def _prune_one(
    engine: AsyncEngine, org_id: UUID, pace: Pace, counts: Counter[Policy], *, dry_run: bool
) -> None:
    outcome = Outcome.BUSY
    while outcome is Outcome.BUSY:
        outcome = await prune(engine, org_id, pace, counts, dry_run=dry_run)
        if outcome is Outcome.BUSY:
            await asyncio.sleep(BUSY_SECONDS)
    if outcome is Outcome.TALLYING:
        typer.echo(f"{org_id}: not all events are summed yet; run `joblens tally` first", err=True)


def _show(counts: Counts, *, dry_run: bool) -> None:
    show(
        ("organisation", "policy", "status", "type", "would delete" if dry_run else "deleted"),
        [
            (
                str(org_id),
                str(policy.id),
                policy.status or "any",
                policy.type or "any",
                f"{count:,}",
            )
            for org_id, each in counts.items()
            for policy, count in each.items()
        ],
    )
    total = sum(each.total() for each in counts.values())
    did = "would delete" if dry_run else "deleted"
    typer.echo(f"{did} {total:,} job{'' if total == 1 else 's'}", err=True)
