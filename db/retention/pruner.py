"""Deletes what no policy keeps: all of an organisation, or of all again and again in a process."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from db.background_task import BackgroundTask
from db.retention.policies import Policy
from db.retention.pruning import (
    BATCH_SIZE,
    Outcome,
    Position,
    Step,
    count_prunable,
    create_prune_engine,
    list_prunable_orgs,
    prune_once,
)

PAUSE_RATIO = 4.0

log = structlog.get_logger("joblens.retention")


@dataclass(frozen=True, slots=True)
class Pace:
    """How gently jobs are deleted.

    `pause_ratio`: after each transaction, wait so many times as long as it took.
    """

    batch_size: int = BATCH_SIZE
    pause_ratio: float = PAUSE_RATIO


async def prune(
    engine: AsyncEngine, org_id: UUID, pace: Pace, counts: Counter[Policy], *, dry_run: bool = False
) -> Outcome:
    """Delete an organisation's jobs that no policy keeps, and add their numbers to `counts`.

    The counts are right also when it is cancelled or fails. A dry run counts without deleting. Ends
    early with BUSY or TALLYING.
    """
    now, after = datetime.now(UTC), None
    while True:
        began = monotonic()
        step = await _step(engine, org_id, now, after, pace, dry_run=dry_run)
        counts.update(step.counts)
        if step.outcome is not Outcome.MORE:
            return step.outcome
        after = step.after
        await asyncio.sleep(pace.pause_ratio * (monotonic() - began))


async def _step(
    engine: AsyncEngine,
    org_id: UUID,
    now: datetime,
    after: Position | None,
    pace: Pace,
    *,
    dry_run: bool,
) -> Step:
    if dry_run:
        return await count_prunable(engine, org_id, now, after)
    return await prune_once(engine, org_id, now, after, batch_size=pace.batch_size)


class Pruner(BackgroundTask):
    """Prunes all organisations that have policies. Of several processes one does."""

    failure = "cannot prune jobs"
    name = "prune"

    def __init__(self, url: str, interval_seconds: float, pace: Pace) -> None:
        super().__init__(create_prune_engine(url), interval_seconds)
        self._pace = pace
        # How many jobs it has deleted.
        self.deleted = 0

    async def work(self) -> bool:
        """Delete what no policy keeps now."""
        for org_id in await list_prunable_orgs(self._engine):
            counts: Counter[Policy] = Counter()
            try:
                outcome = await prune(self._engine, org_id, self._pace, counts)
            finally:
                self.deleted += counts.total()
                _log(org_id, counts)
            if outcome is Outcome.BUSY:
                # Another process prunes: leave the rest to it.
                break
        return False


def _log(org_id: UUID, counts: Mapping[Policy, int]) -> None:
    if not counts:
        return
    policies = {str(policy.id): count for policy, count in counts.items()}
    log.info(
        "pruned jobs", organisation=str(org_id), deleted=sum(counts.values()), policies=policies
    )
