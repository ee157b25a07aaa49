"""New events on their way from the database to the inboxes of those who watch."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobEventCriteria
from db.queries import news
from db.queries.jobs import load_jobs_by_id
from db.queries.keyset import EVENTS_NEWEST_FIRST
from db.queries.news import EventKey
from resolvers import cursors
from resolvers.live.inboxes import Happening, Inbox


@dataclass(frozen=True, slots=True)
class EventEdge:
    """An event and its place; the cursors are those of the list of events."""

    node: Any

    @property
    def cursor(self) -> str:
        return cursors.encode(EVENTS_NEWEST_FIRST, self.node)


@dataclass(slots=True, eq=False)
class Seat:
    """A subscriber's place at a feed: what is told goes to `inbox`.

    `job_id`: only this job's events, and without their rows. Else those that meet `criteria`, None
    for all, with these `columns`; equal `filter_key`s mean equal criteria.
    """

    inbox: Inbox
    job_id: UUID | None = None
    columns: frozenset[str] = frozenset()
    filter_key: str | None = None
    criteria: Callable[[], JobEventCriteria] | None = None


@dataclass(slots=True)
class Batch:
    """New events in the order in which they are told, their rows, and which pass each filter.

    `gone`: watched jobs that were deleted, their events with them.
    """

    keys: list[EventKey]
    rows: dict[EventKey, Any] = field(default_factory=dict)
    passing: dict[str, set[EventKey]] = field(default_factory=dict)
    has_more: bool = False
    gone: set[UUID] = field(default_factory=set)


async def read_batch(
    session: AsyncSession,
    org_id: UUID,
    fresh: Sequence[Any],
    seats: Collection[Seat],
    limit: int,
) -> Batch:
    """Read what these seats need of the first `limit` of the fresh events.

    One statement for the rows, if anybody wants them, and one for each distinct filter.
    """
    chosen = in_telling_order(fresh)[:limit]
    batch = Batch(
        [(row.job_id, row.seq) for row in chosen],
        {(row.job_id, row.seq): row for row in chosen},
        has_more=len(chosen) < len(fresh),
    )
    wanting = [seat for seat in seats if seat.job_id is None]
    if not chosen or not wanting:
        return batch
    columns = frozenset().union(*(seat.columns for seat in wanting))
    batch.rows |= await news.load_events_by_key(session, org_id, batch.keys, columns)
    for filter_key, criteria in {seat.filter_key: seat.criteria for seat in wanting}.items():
        if filter_key is not None and criteria is not None:
            batch.passing[filter_key] = await news.filter_event_keys(
                session, org_id, batch.keys, criteria()
            )
    return batch


async def read_gone(session: AsyncSession, org_id: UUID, seats: Iterable[Seat]) -> set[UUID]:
    """Tell which of the jobs that these seats watch are no more; if none does, ask nothing."""
    watched = {seat.job_id for seat in seats if seat.job_id is not None}
    if not watched:
        return set()
    rows = await load_jobs_by_id(session, org_id, sorted(watched), {"id"})
    return watched - {row.id for row in rows}


def hand_out(batch: Batch, seats: Iterable[Seat]) -> dict[EventKey, datetime]:
    """Put the events into the inboxes of those who want them; get the `ts` of each."""
    happenings = {key: Happening(EventEdge(batch.rows[key])) for key in batch.keys}
    passing: dict[str | None, list[Happening]] = {None: list(happenings.values())}
    for filter_key, keys in batch.passing.items():
        passing[filter_key] = [happenings[key] for key in batch.keys if key in keys]
    of_job = {job_id: [Happening()] for job_id in batch.gone}
    of_job |= {key[0]: [happening] for key, happening in happenings.items()}
    for seat in seats:
        if seat.job_id is None:
            seat.inbox.put(passing.get(seat.filter_key, ()))
        else:
            # Its job is read anew for whatever happens: the last is enough.
            seat.inbox.put(of_job.get(seat.job_id, ()))
    return {key: batch.rows[key].ts for key in batch.keys}


def in_telling_order(rows: Sequence[Any]) -> list[Any]:
    """Order events, given by `ts`, so that those of one job come by `seq`, whatever their `ts`.

    Each job keeps the places that its events had; writers' clocks may differ. Together with the
    snapshots this keeps each job in order for good: whoever writes event n + 1 holds the lock of
    the job's row, which the writer of n gave up by committing. So a snapshot that has n + 1 has n,
    and the feed, which knows whether it has told or read n, looks for it where it has not.
    """
    by_job: defaultdict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        by_job[row.job_id].append(row)
    turns = {job_id: iter(sorted(own, key=lambda row: row.seq)) for job_id, own in by_job.items()}
    return [next(turns[row.job_id]) for row in rows]
