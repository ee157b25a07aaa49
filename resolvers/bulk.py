"""Cancels, retries and deletes the jobs that match a filter, or tells what that would do."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from db.commands.deletion import delete_jobs
from db.commands.transitions import STATE_COLUMNS, Transition, change_status, is_allowed
from db.criteria import JobCriteria, TimeCriteria
from db.error_texts import storable_message
from db.limits import MAX_BATCH
from db.queries import jobs as queries
from db.queries.jobs import JobRow
from db.queries.keyset import JOBS_NEWEST_FIRST, Window
from db.statuses import JobStatus
from resolvers.context import Context
from resolvers.counting import as_count
from resolvers.errors import BadUserInputError
from resolvers.jobs import get_jobs
from resolvers.mutation_results import (
    BulkOutcome,
    ChangedMany,
    DeletedMany,
    InvalidInputError,
    SkippedJobs,
    SkipReason,
)
from resolvers.mutations import checked
from resolvers.narrowing import narrowed_by_ids

# How far a dry run of a deletion counts, independently of its limit.
MAX_DRY_RUN_COUNT = 10_000
SAMPLES = 5

_LAST_TIME = datetime.max.replace(tzinfo=UTC)
_TICK = timedelta(microseconds=1)

Refuse = Callable[[JobRow], SkipReason | None]


@dataclass(frozen=True, slots=True)
class Bulk:
    """How many jobs a bulk operation takes, newest first, and which of them it leaves alone.

    `as_of`: it leaves alone the jobs that changed after this time. `dry_run`: it changes nothing.
    """

    limit: int
    as_of: datetime | None = None
    dry_run: bool = False

    def check(self) -> None:
        """Raise BadUserInputError if the limit is out of bounds."""
        if not 1 <= self.limit <= MAX_BATCH:
            raise BadUserInputError(f"'limit' must be between 1 and {MAX_BATCH}.")

    @property
    def window(self) -> Window:
        """The window of the jobs, and of one more, which tells whether there are more."""
        return Window(JOBS_NEWEST_FIRST, self.limit + 1)

    def criteria(self, criteria: JobCriteria) -> JobCriteria:
        """Return what a job must meet once it is locked."""
        if self.as_of is None or self.as_of >= _LAST_TIME:
            return criteria
        return JobCriteria(updated_at=TimeCriteria(lt=self.as_of + _TICK), and_=[criteria])

    def has_changed(self, row: JobRow) -> bool:
        """Return whether a job changed after `as_of`."""
        return self.as_of is not None and row.updated_at > self.as_of


async def change_matching(
    ctx: Context,
    criteria: JobCriteria,
    bulk: Bulk,
    wanted: Transition,
    columns: Collection[str],
) -> ChangedMany:
    """Change the newest jobs that meet the criteria, passing over locked ones."""
    bulk.check()
    try:
        change = checked(ctx, wanted)
    except InvalidInputError as error:
        raise BadUserInputError(f"'{error.outcome.field}': {error.outcome.message}") from None
    criteria = await narrowed_by_ids(ctx, criteria) or criteria
    async with ctx.write() as (session, org_id):
        read = STATE_COLUMNS | {"updated_at"}
        found = await queries.list_jobs(session, org_id, criteria, bulk.window, read)
        taken = found[: bulk.limit]
        rows: Sequence[JobRow] = ()
        if not bulk.dry_run:
            rows = await change_status(
                session,
                org_id,
                [row.id for row in taken],
                change,
                now=ctx.now,
                backoff=ctx.limits.backoff.jittered(),
                criteria=bulk.criteria(criteria),
                skip_locked=True,
                returning=columns,
            )
    ctx.cache_jobs(rows, columns)
    by_id = {row.id: row for row in rows}
    left = [row for row in taken if row.id not in by_id]
    skips, samples = _sorted_out(left, partial(_refusal, bulk, change), bulk)
    return ChangedMany(
        jobs=[by_id[row.id] for row in taken if row.id in by_id],
        matched=as_count(len(found), bulk.limit),
        changed=len(rows),
        skips=skips,
        sample_ids=samples,
        is_dry_run=bulk.dry_run,
    )


async def delete_matching(
    ctx: Context, criteria: JobCriteria, bulk: Bulk, reason: str | None
) -> DeletedMany:
    """Delete the newest jobs that meet the criteria, passing over locked ones.

    A dry run counts the jobs up to MAX_DRY_RUN_COUNT.
    """
    bulk.check()
    criteria = await narrowed_by_ids(ctx, criteria) or criteria
    async with ctx.write() as (session, org_id):
        read = {"status", "updated_at", "source_id"}
        found = await queries.list_jobs(session, org_id, criteria, bulk.window, read)
        taken = found[: bulk.limit]
        matched = as_count(len(found), bulk.limit)
        if bulk.dry_run and not matched.is_exact:
            most = MAX_DRY_RUN_COUNT
            matched = as_count(await queries.count_jobs(session, org_id, criteria, most), most)
        deleted: Collection[UUID] = ()
        if not bulk.dry_run:
            ids = [row.id for row in taken if row.source_id is None]
            deleted = set(
                await delete_jobs(session, org_id, ids, bulk.criteria(criteria), skip_locked=True)
            )
    left = [row for row in taken if row.id not in deleted]
    skips, samples = _sorted_out(left, partial(_unwilling, bulk), bulk)
    return DeletedMany(
        matched=matched,
        deleted=len(deleted),
        skips=skips,
        sample_ids=samples,
        is_dry_run=bulk.dry_run,
        reason=storable_message(reason),
    )


def _unwilling(bulk: Bulk, row: JobRow) -> SkipReason | None:
    """Return why a job is left alone, whatever is to be done."""
    if row.source_id is not None:
        return SkipReason.READ_ONLY
    return SkipReason.CHANGED_SINCE if bulk.has_changed(row) else None


def _refusal(bulk: Bulk, change: Transition, row: JobRow) -> SkipReason | None:
    """Return why a job is not changed, as far as its row tells."""
    refused = None if is_allowed(change, row) else SkipReason.STATUS
    return _unwilling(bulk, row) or refused


def _sorted_out(
    left: Sequence[JobRow], refuse: Refuse, bulk: Bulk
) -> tuple[list[SkippedJobs], list[UUID]]:
    """Count the jobs that were left alone by reason and status, and take samples of a dry run."""
    reasons = [(refuse(row), row) for row in left]
    willing = [row.id for reason, row in reasons if reason is None]
    counts = Counter(
        (reason or SkipReason.CONCURRENT_CHANGE, JobStatus(row.status))
        for reason, row in reasons
        if reason is not None or not bulk.dry_run
    )
    skips = [
        SkippedJobs(reason, status, counts[reason, status])
        for reason in SkipReason
        for status in JobStatus
        if (reason, status) in counts
    ]
    return skips, willing[:SAMPLES] if bulk.dry_run else []


async def list_samples(
    ctx: Context, outcomes: Sequence[BulkOutcome], columns: Collection[str]
) -> list[list[JobRow]]:
    """Return the samples of dry runs, without those deleted meanwhile."""
    ids = [job_id for outcome in outcomes for job_id in outcome.sample_ids]
    rows = await get_jobs(ctx, ids, columns) if ids else ()
    by_id = dict(zip(ids, rows, strict=True))
    return [
        [row for job_id in outcome.sample_ids if (row := by_id[job_id]) is not None]
        for outcome in outcomes
    ]
