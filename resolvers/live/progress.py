"""A reader's progress through events, by the database's snapshots, and its next page.

Events are new that a snapshot sees and the one before did not: however late they were committed,
whatever their time, and however long another transaction stays open. PgQ works this way.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JobEventCriteria
from db.queries.event_feed import (
    EventKey,
    Unseen,
    list_unseen_before,
    list_unseen_events,
)
from db.snapshots import Snapshot


@dataclass(frozen=True, slots=True)
class Progress:
    """What a reader has read: all that `seen` sees, and the events `ahead`, out of order.

    `ahead`: read before their turn, to keep each job's events in order. `cut`: the last event read
    of a transaction that has been read in part. It is read to its end before any other: it is the
    `xmax` of `seen`, or one of its `running`.
    """

    seen: Snapshot
    cut: tuple[int, UUID, int] | None = None
    ahead: frozenset[EventKey] = frozenset()


@dataclass(frozen=True, slots=True)
class EventPage:
    """New events in the order in which they are delivered, each with the progress after it.

    `then`: the progress after all of them. `snapshot`: that of the transaction that read them.
    """

    rows: Sequence[Any]
    progress: Sequence[Progress]
    then: Progress
    snapshot: Snapshot
    has_more: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events a reader gets, and their columns."""

    criteria: JobEventCriteria | None = None
    columns: Collection[str] = ()


ALL = Selection()


async def read_page(
    session: AsyncSession,
    org_id: UUID,
    progress: Progress,
    limit: int,
    *,
    selection: Selection = ALL,
    until: Snapshot | None = None,
) -> EventPage:
    """Read the next page: about `limit` events, or fewer if there are no more.

    `until`: only what this snapshot sees. One statement, and another where there may be more.
    """
    snapshot, found = await list_unseen_events(
        session,
        org_id,
        Unseen(progress.seen, progress.cut, until),
        limit=limit + 1,
        criteria=selection.criteria,
        columns=selection.columns,
    )
    turn = _Turn(progress, found[:limit], until or snapshot)
    then = turn.end(found[limit] if len(found) > limit else None)
    rows = [row for row in turn.rows if key_of(row) not in progress.ahead]
    has_more = then.seen != turn.snapshot
    if has_more and rows:
        missing = await _read_missing(session, org_id, rows, then, selection)
        then = replace(then, ahead=then.ahead.union(map(key_of, missing)))
        rows += sorted(missing, key=_position)
    rows = in_order(rows)
    return EventPage(rows, turn.steps(rows, then), then, snapshot, has_more)


def key_of(row: Any) -> EventKey:
    """Get the key of an event's row."""
    return row.job_id, row.seq


def in_order(rows: Sequence[Any]) -> list[Any]:
    """Order each job's events by `seq`, at the positions that its events have among the rows.

    With snapshots this keeps each job in order: the writer of event n + 1 holds the lock of the
    job's row, which the writer of n released by committing. So a snapshot that sees n + 1 sees n.
    """
    by_job: defaultdict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        by_job[row.job_id].append(row)
    turns = {job_id: iter(sorted(own, key=lambda row: row.seq)) for job_id, own in by_job.items()}
    return [next(turns[row.job_id]) for row in rows]


class _Turn:
    """The next events by transaction and key, and the progress after each."""

    def __init__(self, progress: Progress, rows: Sequence[Any], snapshot: Snapshot) -> None:
        self.rows = rows
        self.snapshot = snapshot
        self._progress = progress
        self._positions = list(map(_position, rows))

    def end(self, following: Any | None) -> Progress:
        """Get the progress after all of them. `following`: the next event, if one is known."""
        ahead = self._progress.ahead.difference(map(key_of, self.rows))
        if following is not None:
            return replace(self._before(_position(following)), ahead=ahead)
        if self._progress.cut is None:
            return Progress(self.snapshot)
        # Nothing has been read of other transactions.
        return Progress(self._progress.seen.including(self._progress.cut[0]), ahead=ahead)

    def steps(self, rows: Sequence[Any], then: Progress) -> list[Progress]:
        """Get the progress after each delivered row: before the first of the rest, by position."""
        steps = [then] * len(rows)
        own = set(self._positions)
        first: tuple[int, UUID, int] | None = None
        for number in range(len(rows) - 1, 0, -1):
            position = _position(rows[number])
            # Rows that were read ahead come after all of these.
            if position in own and (first is None or position < first):
                first = position
            steps[number - 1] = then if first is None else self._before(first)
        return steps

    def _before(self, following: tuple[int, UUID, int]) -> Progress:
        """Get the progress before the event at this position."""
        number = bisect_left(self._positions, following)
        last = self._positions[number - 1] if number else None
        if self._progress.cut is not None:
            return Progress(self._progress.seen, last or self._progress.cut)
        seen = self._progress.seen.advanced(following[0], self.snapshot)
        return Progress(seen, last if last and last[0] == following[0] else None)


def _position(row: Any) -> tuple[int, UUID, int]:
    return row.xid, row.job_id, row.seq


async def _read_missing(
    session: AsyncSession,
    org_id: UUID,
    rows: Sequence[Any],
    then: Progress,
    selection: Selection,
) -> list[Any]:
    """Read the earlier events of these events' jobs that have not been read.

    A transaction may have got its id before it waited for one with a later id.
    """
    latest: dict[UUID, int] = {}
    for row in rows:
        latest[row.job_id] = max(row.seq, latest.get(row.job_id, 0))
    had = then.ahead.union(map(key_of, rows))
    before = await list_unseen_before(
        session,
        org_id,
        then.seen,
        list(latest.items()),
        criteria=selection.criteria,
        columns=selection.columns,
    )
    passed = then.cut
    return [
        row
        for row in before
        if key_of(row) not in had
        and not (passed and row.xid == passed[0] and _position(row) <= passed)
    ]
