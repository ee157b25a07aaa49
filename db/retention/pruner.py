"""Deletes what no policy keeps: all of an organisation, or of all again and again in a process."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

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

# After an error, such as of a database that is not migrated, or read only.
RETRY_SECONDS = 30.0
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


class Pruner:
    """Prunes every `interval_seconds`, from `start` to `stop`. Of several processes one does."""

    def __init__(self, url: str, interval_seconds: float, pace: Pace) -> None:
        self._engine = create_prune_engine(url)
        self._interval_seconds = interval_seconds
        self._pace = pace
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start to prune, after the first interval."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop; a transaction that has not committed is rolled back."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._engine.dispose()

    async def _run(self) -> None:
        is_failing = False
        while True:
            wait = max(self._interval_seconds, RETRY_SECONDS if is_failing else 0.0)
            await asyncio.sleep(wait)
            try:
                await self._prune_each()
                is_failing = False
            except Exception as error:  # noqa: BLE001 - any error is retried
                if not is_failing:
                    log.warning("cannot prune jobs", reason=type(error).__name__)
                is_failing = True

    async def _prune_each(self) -> None:
        for org_id in await list_prunable_orgs(self._engine):
            counts: Counter[Policy] = Counter()
            try:
                outcome = await prune(self._engine, org_id, self._pace, counts)
            finally:
                _log(org_id, counts)
            if outcome is Outcome.BUSY:
                # Another process prunes: leave the rest to it.
                return


def _log(org_id: UUID, counts: Mapping[Policy, int]) -> None:
    if not counts:
        return
    policies = {str(policy.id): count for policy, count in counts.items()}
    log.info(
        "pruned jobs", organisation=str(org_id), deleted=sum(counts.values()), policies=policies
    )
