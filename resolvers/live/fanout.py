"""From new events in the database to the queues of their subscribers."""

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
from resolvers.live.trackers import NewEvents


@dataclass(frozen=True, slots=True)
class EventEdge:
    """An event, with a cursor of its position in the list of events and the progress after it."""

    node: Any
    progress: Progress | None = None

    @property
    def cursor(self) -> str:
        progress = self.progress
        mark = None if progress is None else cursors.Mark(progress.seen, progress.cut)
        return cursors.encode(EVENTS_NEWEST_FIRST, self.node, mark)


@dataclass(slots=True, eq=False)
class Subscriber:
    """A subscriber of a feed, whose events go to `queue`.

    `job_id`: only this job's events, without their rows. Otherwise those that meet `criteria`, None
    for all, with these `columns`; equal `filter_key`s mean equal criteria. `since`: events that
    this snapshot sees are older than the subscription, though the feed has not reached them.
    """

    queue: SubscriberQueue
    job_id: UUID | None = None
    columns: frozenset[str] = frozenset()
    filter_key: str | None = None
    criteria: Callable[[], JobEventCriteria] | None = None
    since: Snapshot | None = None


@dataclass(slots=True)
class Batch:
    """New events in order of delivery, their rows, and which pass each filter.

    `progress`: after each event, and `xids` their transactions, where snapshots find new events.
    `gone`: watched jobs that were deleted, with their events.
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
    new_events: NewEvents,
    subscribers: Collection[Subscriber],
) -> Batch:
    """Read what these subscribers need of the new events.

    One statement for the rows, if any subscriber needs them, and one for each distinct filter.
    """
    rows = {key_of(row): row for row in new_events.rows}
    batch = Batch(list(rows), rows)
    if new_events.progress:
        batch.progress = dict(zip(rows, new_events.progress, strict=True))
        batch.xids = {key: row.xid for key, row in rows.items()}
    wanting = [subscriber for subscriber in subscribers if subscriber.job_id is None]
    if not rows or not wanting:
        return batch
    columns = frozenset({"ts"}).union(*(subscriber.columns for subscriber in wanting))
    if not columns <= set(new_events.rows[0]._fields):
        read = await load_events_by_id(session, org_id, batch.keys, columns)
        batch.rows = {key_of(row): row for row in read}
    for filter_key, criteria in {
        subscriber.filter_key: subscriber.criteria for subscriber in wanting
    }.items():
        if filter_key is not None and criteria is not None:
            batch.passing[filter_key] = await filter_event_keys(
                session, org_id, batch.keys, criteria()
            )
    return batch


async def read_gone(
    session: AsyncSession, org_id: UUID, subscribers: Iterable[Subscriber]
) -> set[UUID]:
    """Find the deleted ones of the jobs that these subscribers watch; no jobs, no statement."""
    watched = {subscriber.job_id for subscriber in subscribers if subscriber.job_id is not None}
    if not watched:
        return set()
    rows = await load_jobs_by_id(session, org_id, sorted(watched), {"id"})
    return watched - {row.id for row in rows}


def dispatch(batch: Batch, subscribers: Iterable[Subscriber]) -> None:
    """Put the events into the queues of the subscribers that they match."""
    events = {
        key: LiveEvent(EventEdge(batch.rows[key], batch.progress.get(key))) for key in batch.keys
    }
    passing: dict[str | None, list[EventKey]] = {None: batch.keys}
    for filter_key, keys in batch.passing.items():
        passing[filter_key] = [key for key in batch.keys if key in keys]
    matching = {key: [events[each] for each in keys] for key, keys in passing.items()}
    of_job = {job_id: [LiveEvent()] for job_id in batch.gone}
    of_job |= {key[0]: [event] for key, event in events.items()}
    for subscriber in subscribers:
        if subscriber.job_id is not None:
            # Its job is read again for each event: the last is enough.
            subscriber.queue.put(of_job.get(subscriber.job_id, ()))
        elif subscriber.since is None:
            subscriber.queue.put(matching.get(subscriber.filter_key, ()))
        else:
            since, wanted = subscriber.since, passing.get(subscriber.filter_key, [])
            subscriber.queue.put([events[k] for k in wanted if not since.sees(batch.xids[k])])
