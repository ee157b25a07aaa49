"""Poll: reads again what may have changed, with nothing but SELECT.

Never a bare cursor: what has ended is read again for a while, because it is seen at its commit,
later than it says; and what was alive is compared with how it was.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any

from db.statuses import JobStatus
from mirror.ledger import Ledger, Seen
from mirror.reading import Connection, Found, read_rows
from mirror.vanished import Known, vanished

# Jobs of one transaction: of the queue's, which holds back its vacuum, and of the ledger's.
PAGE_JOBS = 500
# How long the end of a job may be seen later than it says: its transaction, and clocks.
WINDOW_SECONDS = 60.0

Checkpoint = dict[str, Any]


@dataclass(slots=True)
class Poller:
    """Follows one queue. `known`: the jobs that have not ended.

    `checkpoint` is the source's, and is changed once the ledger has it.
    """

    found: Found
    ledger: Ledger
    checkpoint: Checkpoint
    known: dict[str, Known] = field(default_factory=dict)
    # Of jobs that have ended: what was read of them, until it is older than the window.
    _ended: dict[str, str] = field(default_factory=dict)
    # Watermarks, with when they were read.
    _marks: list[tuple[datetime, str]] = field(default_factory=list)

    async def poll(self, connection: Connection) -> int:
        """Read what may have changed since the last poll; return how many jobs that were."""
        began = monotonic()
        async with _snapshot(connection):
            now = await connection.fetchval("SELECT now()")
            watermark = await self._read_watermark(connection)
            live = await self._pairs(connection, self.found.adapter.live)
            since = self.checkpoint.get("watermark") or watermark
            ended = await self._pairs(connection, self.found.adapter.recent, since)
        changed = self._changed(live, ended)
        for start in range(0, len(changed), PAGE_JOBS):
            keys = changed[start : start + PAGE_JOBS]
            jobs = await self._copy(connection, keys, {})
            self._note(jobs, live, [key for key in keys if key not in jobs])
        self._ended = ended
        await self._move(now, watermark, began)
        return len(changed)

    async def backfill(self, connection: Connection) -> bool:
        """Copy the next page of jobs, in the order of their ids; return whether there are more.

        The checkpoint has how far it got, and since when jobs are wanted.
        """
        state = self.checkpoint.get("backfill") or {}
        if state.get("is_done"):
            return False
        since = datetime.fromisoformat(state["since"]) if state.get("since") else None
        page = self.found.sql(self.found.adapter.page)
        rows = await connection.fetch(page, state.get("after"), PAGE_JOBS, since)
        keys = [row[0] for row in rows]
        is_done = len(keys) < PAGE_JOBS
        after = keys[-1] if keys else state.get("after")
        copied = {"after": after, "is_done": is_done, "jobs": state.get("jobs", 0) + len(keys)}
        backfill = {"backfill": {**state, **copied}}
        await self._copy(connection, keys, {"checkpoint": {**self.checkpoint, **backfill}})
        self.checkpoint.update(backfill)
        return not is_done

    def _changed(self, live: Mapping[str, str], ended: Mapping[str, str]) -> list[str]:
        gone = [key for key in self.known if key not in live]
        new = [
            key
            for key, mark in live.items()
            if key not in self.known or self.known[key].mark != mark
        ]
        over = [key for key, mark in ended.items() if self._ended.get(key) != mark]
        return list(dict.fromkeys([*new, *over, *gone]))

    async def _copy(
        self, connection: Connection, keys: Sequence[str], values: Mapping[str, Any]
    ) -> Mapping[str, Seen]:
        """Copy jobs; return those whose rows there still are."""
        async with _snapshot(connection):
            now = await connection.fetchval("SELECT now()")
            rows = await read_rows(connection, self.found, keys)
        jobs = {key: Seen(self.found.adapter.facts(each, now), now) for key, each in rows.items()}
        gone = [
            Seen([fact], now)
            for key in keys
            if key not in jobs and key in self.known
            for fact in vanished(self.found.adapter, key, self.known[key], now)
        ]
        await self.ledger.write([*jobs.values(), *gone], values)
        return jobs

    def _note(
        self, jobs: Mapping[str, Seen], live: Mapping[str, str], gone: Collection[str]
    ) -> None:
        for key in gone:
            self.known.pop(key, None)
        for key, seen in jobs.items():
            last = seen.facts[-1]
            if last.status in {JobStatus.QUEUED, JobStatus.RUNNING} or key in live:
                self.known[key] = Known(live.get(key), last.status, last.attempt, last.scheduled_at)
            else:
                self.known.pop(key, None)

    async def _move(self, now: datetime, watermark: str, began: float) -> None:
        """Move the checkpoint to the watermark that was read a window ago."""
        self._marks.append((now, watermark))
        while len(self._marks) > 1 and _seconds(now, self._marks[1][0]) >= WINDOW_SECONDS:
            del self._marks[0]
        if _seconds(now, self._marks[0][0]) >= WINDOW_SECONDS or "watermark" not in self.checkpoint:
            self.checkpoint["watermark"] = self._marks[0][1]
        values = {
            "checkpoint": self.checkpoint,
            "last_seen_at": now,
            "last_error": self.checkpoint.get("note"),
            "lag_seconds": monotonic() - began,
            "schema_version": self.found.version,
        }
        await self.ledger.write([], values)

    async def _read_watermark(self, connection: Connection) -> str:
        expression = self.found.sql(self.found.adapter.watermark)
        return str(await connection.fetchval(f"SELECT ({expression})::text"))

    async def _pairs(self, connection: Connection, statement: str, *given: Any) -> dict[str, str]:
        return dict(await connection.fetch(self.found.sql(statement), *given))


@asynccontextmanager
async def _snapshot(connection: Connection) -> AsyncIterator[None]:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        yield


def _seconds(now: datetime, then: datetime) -> float:
    return (now - then).total_seconds()
