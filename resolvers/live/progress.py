"""How far a reader of events has come, by the database's snapshots, and its next piece.

What a snapshot sees and the one before did not is new: however late it was committed, whatever its
time says, and however long a transaction is open elsewhere. PgQ delivers its events so.
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
    """A reader has had what `seen` sees, and the events `ahead` of their turn, for a job's order.

    `cut`: the last event that it has had of a transaction which it is in the middle of. That one is
    read to its end before any other: it is the `xmax` of `seen`, or one of its `running`.
    """

    seen: Snapshot
    cut: tuple[int, UUID, int] | None = None
    ahead: frozenset[EventKey] = frozenset()


@dataclass(frozen=True, slots=True)
class Piece:
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
    """Which of the events a reader wants, and with which columns."""

    criteria: JobEventCriteria | None = None
    columns: Collection[str] = ()


ALL = Selection()


async def read_piece(
    session: AsyncSession,
    org_id: UUID,
    progress: Progress,
    limit: int,
    *,
    selection: Selection = ALL,
    until: Snapshot | None = None,
) -> Piece:
    """Read the next piece: about `limit` events, or fewer if there are no more.

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
        rows += sorted(missing, key=_place)
    rows = in_order(rows)
    return Piece(rows, turn.steps(rows, then), then, snapshot, has_more)


def key_of(row: Any) -> EventKey:
    """Get the key of an event's row."""
    return row.job_id, row.seq


def in_order(rows: Sequence[Any]) -> list[Any]:
    """Let the events of each job come by `seq`, at the places that its events have among the rows.

    Together with the snapshots this keeps each job in order for good: whoever writes event n + 1
    holds the lock of the job's row, which the writer of n released by committing. So a snapshot
    that sees n + 1 sees n.
    """
    by_job: defaultdict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        by_job[row.job_id].append(row)
    turns = {job_id: iter(sorted(own, key=lambda row: row.seq)) for job_id, own in by_job.items()}
    return [next(turns[row.job_id]) for row in rows]


class _Turn:
    """The events that come next, by transaction and key, and how far one is between them."""

    def __init__(self, progress: Progress, rows: Sequence[Any], snapshot: Snapshot) -> None:
        self.rows = rows
        self.snapshot = snapshot
        self._progress = progress
        self._places = list(map(_place, rows))

    def end(self, following: Any | None) -> Progress:
        """Get the progress after all of them; `following` comes next, if anything is known to."""
        ahead = self._progress.ahead.difference(map(key_of, self.rows))
        if following is not None:
            return replace(self._before(_place(following)), ahead=ahead)
        if self._progress.cut is None:
            return Progress(self.snapshot)
        # Of others, nothing has been looked for.
        return Progress(self._progress.seen.including(self._progress.cut[0]), ahead=ahead)

    def steps(self, rows: Sequence[Any], then: Progress) -> list[Progress]:
        """Get the progress after each row as delivered: up to the first, by turn, of the rest."""
        steps = [then] * len(rows)
        own = set(self._places)
        first: tuple[int, UUID, int] | None = None
        for number in range(len(rows) - 1, 0, -1):
            place = _place(rows[number])
            # Those that are ahead of their turn come after all of these.
            if place in own and (first is None or place < first):
                first = place
            steps[number - 1] = then if first is None else self._before(first)
        return steps

    def _before(self, following: tuple[int, UUID, int]) -> Progress:
        """Get the progress before the event at this place."""
        number = bisect_left(self._places, following)
        last = self._places[number - 1] if number else None
        if self._progress.cut is not None:
            return Progress(self._progress.seen, last or self._progress.cut)
        seen = self._progress.seen.advanced(following[0], self.snapshot)
        return Progress(seen, last if last and last[0] == following[0] else None)


def _place(row: Any) -> tuple[int, UUID, int]:
    return row.xid, row.job_id, row.seq


async def _read_missing(
    session: AsyncSession,
    org_id: UUID,
    rows: Sequence[Any],
    then: Progress,
    selection: Selection,
) -> list[Any]:
    """Read what these events' jobs have before them that has not had its turn.

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
        and not (passed and row.xid == passed[0] and _place(row) <= passed)
    ]
