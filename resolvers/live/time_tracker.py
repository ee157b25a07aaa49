"""Finds new events by their times, where transaction ids are of no use (db.queries.event_feed).

An event that is committed later than a window after its time is missed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.event_feed import EventKey, get_time, list_event_keys
from resolvers.live.progress import in_order, key_of
from resolvers.live.trackers import NewEvents

# How far behind the last poll a notification makes us look; a poll looks through the window.
NEAR = timedelta(seconds=2)


class TimeTracker:
    """Remembers the events of the window before the last poll, which are not new."""

    def __init__(self, org_id: UUID, window_seconds: float) -> None:
        self._org_id = org_id
        self._window = timedelta(seconds=window_seconds)
        self._seen: dict[EventKey, datetime] = {}
        # The database's time at the last poll, and the oldest `ts` that is still read.
        self._polled_at: datetime | None = None
        self._floor: datetime | None = None

    async def read(self, session: AsyncSession, limit: int, *, polls: bool) -> NewEvents:
        """Read the new events of the window; without a poll, of its end only."""
        if self._polled_at is None or self._floor is None:
            return await self._read_first(session)
        now = await get_time(session) if polls else None
        since = self._floor if polls else max(self._floor, self._polled_at - NEAR)
        new_events = self._unseen(await list_event_keys(session, self._org_id, since))
        if not polls and (job_ids := self._with_unknown_past(new_events)):
            past = await list_event_keys(session, self._org_id, self._floor, job_ids)
            new_events = sorted({*new_events, *self._unseen(past)})
        rows = in_order(new_events)[:limit]
        has_more = len(rows) < len(new_events)

        def keep() -> None:
            self._seen.update((key_of(row), row.ts) for row in rows)
            if now is not None and not has_more:
                self._move_on(now)

        return NewEvents(rows, has_more, keep)

    async def _read_first(self, session: AsyncSession) -> NewEvents:
        """Take all present events for known."""
        now = await get_time(session)
        there = await list_event_keys(session, self._org_id, now - self._window)

        def keep() -> None:
            self._seen.update((key_of(row), row.ts) for row in there)
            self._move_on(now)

        return NewEvents((), has_more=False, keep=keep)

    def _unseen(self, rows: Sequence[Any]) -> list[Any]:
        return [row for row in rows if key_of(row) not in self._seen]

    def _with_unknown_past(self, new_events: Sequence[Any]) -> list[UUID]:
        """Get the jobs that may have an earlier event which was neither seen nor read now.

        It is older than what is read after a notification; rarely it is new.
        """
        read = {key_of(row) for row in new_events}
        before = ((row.job_id, row.seq - 1) for row in new_events if row.seq > 1)
        return sorted({key[0] for key in before if key not in read and key not in self._seen})

    def _move_on(self, now: datetime) -> None:
        """Read from now on only the window before this poll, and forget what is before it."""
        self._polled_at = now
        # Never backward, even if the clock is set back: forgotten events would be delivered again.
        floor = now - self._window
        self._floor = floor if self._floor is None else max(floor, self._floor)
        self._seen = {key: ts for key, ts in self._seen.items() if ts >= self._floor}
