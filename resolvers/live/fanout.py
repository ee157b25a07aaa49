"""New events on their way from the database to the inboxes of those who watch."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobEventCriteria
from db.queries.event_feed import EventKey, filter_event_keys
from db.queries.events import load_events_by_id
from db.queries.jobs import load_jobs_by_id
from db.queries.keyset import EVENTS_NEWEST_FIRST
from db.snapshots import Snapshot
from resolvers import cursors
from resolvers.live.progress import Progress, key_of
from resolvers.live.subscriber_queue import LiveEvent, SubscriberQueue
from resolvers.live.trackers import Fresh


@dataclass(frozen=True, slots=True)
class EventEdge:
    """An event and its place: that in the list of events, and the progress after it."""

    node: Any
    progress: Progress | None = None

    @property
    def cursor(self) -> str:
        progress = self.progress
        mark = None if progress is None else cursors.Mark(progress.seen, progress.cut)
        return cursors.encode(EVENTS_NEWEST_FIRST, self.node, mark)


@dataclass(slots=True, eq=False)
class Subscriber:
    """A subscriber's place at a feed: what is told goes to `inbox`.

    `job_id`: only this job's events, and without their rows. Else those that meet `criteria`, None
    for all, with these `columns`; equal `filter_key`s mean equal criteria. `since`: what this
    snapshot sees was there before the subscriber, though the feed has yet to come to it.
    """

    inbox: SubscriberQueue
    job_id: UUID | None = None
    columns: frozenset[str] = frozenset()
    filter_key: str | None = None
    criteria: Callable[[], JobEventCriteria] | None = None
    since: Snapshot | None = None


@dataclass(slots=True)
class Batch:
    """New events in the order in which they are told, their rows, and which pass each filter.

    `progress`: that after each, and `xids` their transactions, where snapshots tell what is new.
    `gone`: watched jobs that were deleted, their events with them.
    """

    keys: list[EventKey]
    rows: dict[EventKey, Any]
    progress: Mapping[EventKey, Progress] = field(default_factory=dict)
    xids: Mapping[EventKey, int] = field(default_factory=dict)
    passing: dict[str, set[EventKey]] = field(default_factory=dict)
    gone: set[UUID] = field(default_factory=set)


async def read_batch(
    session: AsyncSession,
    org_id: UUID,
    fresh: Fresh,
    seats: Collection[Subscriber],
) -> Batch:
    """Read what these seats need of the fresh events.

    One statement for the rows, if anybody wants them, and one for each distinct filter.
    """
    rows = {key_of(row): row for row in fresh.rows}
    batch = Batch(list(rows), rows)
    if fresh.progress:
        batch.progress = dict(zip(rows, fresh.progress, strict=True))
        batch.xids = {key: row.xid for key, row in rows.items()}
    wanting = [seat for seat in seats if seat.job_id is None]
    if not rows or not wanting:
        return batch
    columns = frozenset({"ts"}).union(*(seat.columns for seat in wanting))
    if not columns <= set(fresh.rows[0]._fields):
        read = await load_events_by_id(session, org_id, batch.keys, columns)
        batch.rows = {key_of(row): row for row in read}
    for filter_key, criteria in {seat.filter_key: seat.criteria for seat in wanting}.items():
        if filter_key is not None and criteria is not None:
            batch.passing[filter_key] = await filter_event_keys(
                session, org_id, batch.keys, criteria()
            )
    return batch


async def read_gone(session: AsyncSession, org_id: UUID, seats: Iterable[Subscriber]) -> set[UUID]:
    """Tell which of the jobs that these seats watch are no more; if none does, ask nothing."""
    watched = {seat.job_id for seat in seats if seat.job_id is not None}
    if not watched:
        return set()
    rows = await load_jobs_by_id(session, org_id, sorted(watched), {"id"})
    return watched - {row.id for row in rows}


def dispatch(batch: Batch, seats: Iterable[Subscriber]) -> None:
    """Put the events into the inboxes of those who want them."""
    happenings = {
        key: LiveEvent(EventEdge(batch.rows[key], batch.progress.get(key))) for key in batch.keys
    }
    passing: dict[str | None, list[EventKey]] = {None: batch.keys}
    for filter_key, keys in batch.passing.items():
        passing[filter_key] = [key for key in batch.keys if key in keys]
    told = {key: [happenings[each] for each in keys] for key, keys in passing.items()}
    of_job = {job_id: [LiveEvent()] for job_id in batch.gone}
    of_job |= {key[0]: [happening] for key, happening in happenings.items()}
    for seat in seats:
        if seat.job_id is not None:
            # Its job is read anew for whatever happens: the last is enough.
            seat.inbox.put(of_job.get(seat.job_id, ()))
        elif seat.since is None:
            seat.inbox.put(told.get(seat.filter_key, ()))
        else:
            since, wanted = seat.since, passing.get(seat.filter_key, [])
            seat.inbox.put([happenings[k] for k in wanted if not since.sees(batch.xids[k])])
