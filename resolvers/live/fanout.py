"""From new events in the database to the queues of their subscribers."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobEventCriteria
from db.queries.error_groups import ErrorGroup
from db.queries.event_feed import EventKey, filter_event_keys
from db.queries.events import load_events_by_id
from db.queries.jobs import load_jobs_by_id
from db.queries.keyset import ERROR_GROUP_ORDERS, EVENTS_NEWEST_FIRST, ErrorGroupOrder
from db.snapshots import Snapshot
from resolvers import cursors
from resolvers.cursors import Mark
from resolvers.live.progress import Progress, key_of
from resolvers.live.subscriber_queue import LiveEvent, SubscriberQueue
from resolvers.live.trackers import NewEvents

GROUPS_NEWEST_FIRST = ERROR_GROUP_ORDERS[ErrorGroupOrder.FIRST_SEEN]


@dataclass(frozen=True, slots=True)
class EventEdge:
    """An event, with a cursor of its position in the list of events and the progress after it."""

    node: Any
    progress: Progress | None = None

    @property
    def cursor(self) -> str:
        return cursors.encode(EVENTS_NEWEST_FIRST, self.node, _mark(self.progress))


@dataclass(frozen=True, slots=True)
class GroupEdge:
    """A new error group, with a cursor of its position in the list and the mark after it."""

    node: ErrorGroup
    mark: Mark | None = None

    @property
    def cursor(self) -> str:
        return cursors.encode(GROUPS_NEWEST_FIRST, self.node, self.mark)


def _mark(progress: Progress | None) -> Mark | None:
    return None if progress is None else Mark(progress.seen, progress.cut)


@dataclass(slots=True, eq=False)
class Subscriber:
    """A subscriber of a feed, whose events go to `queue`.

    `job_id`: only this job's events, without their rows. `new_groups`: not events, but the groups
    whose first errors they are. Otherwise those that meet `criteria`, None for all, with these
    `columns`; equal `filter_key`s mean equal criteria. `since`: events that this snapshot sees are
    older than the subscription, though the feed has not reached them.
    """

    queue: SubscriberQueue
    job_id: UUID | None = None
    new_groups: bool = False
    columns: frozenset[str] = frozenset()
    filter_key: str | None = None
    criteria: Callable[[], JobEventCriteria] | None = None
    since: Snapshot | None = None


@dataclass(slots=True)
class Batch:
    """New events in order of delivery, their rows, and which pass each filter.

    `progress`: after each event, and `xids` their transactions, where snapshots find new events.
    `gone`: watched jobs that were deleted, with their events. `groups`: the new error groups, by
    their first events.
    """

    keys: list[EventKey]
    rows: dict[EventKey, Any]
    progress: Mapping[EventKey, Progress] = field(default_factory=dict)
    xids: Mapping[EventKey, int] = field(default_factory=dict)
    passing: dict[str, set[EventKey]] = field(default_factory=dict)
    gone: set[UUID] = field(default_factory=set)
    groups: Mapping[EventKey, ErrorGroup] = field(default_factory=dict)


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
    wanting = [each for each in subscribers if each.job_id is None and not each.new_groups]
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
    groups = {
        key: LiveEvent(GroupEdge(group, _mark(batch.progress.get(key))))
        for key, group in batch.groups.items()
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
        elif subscriber.new_groups:
            subscriber.queue.put(_newer(groups, groups, subscriber.since, batch.xids))
        elif subscriber.since is None:
            subscriber.queue.put(matching.get(subscriber.filter_key, ()))
        else:
            wanted = passing.get(subscriber.filter_key, [])
            subscriber.queue.put(_newer(events, wanted, subscriber.since, batch.xids))


def _newer(
    events: Mapping[EventKey, LiveEvent],
    wanted: Iterable[EventKey],
    since: Snapshot | None,
    xids: Mapping[EventKey, int],
) -> list[LiveEvent]:
    return [events[key] for key in wanted if since is None or not since.sees(xids[key])]
