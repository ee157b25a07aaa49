"""Runs mirrors: one at a time for each source, for ever, whatever is away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from time import monotonic
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from db.backoff import Backoff
from db.connections import connect as connect_to_ledger
from db.database_errors import (
    DATABASE_ERRORS,
    CommitUncertainError,
    DatabaseUnavailableError,
    StatementTimeoutError,
)
from db.engine import TransactionAbortedError
from db.facts import Source
from db.facts.mirrored import get_source, list_unfinished, update_source
from db.session_scope import session_scope
from db.statuses import JobStatus
from mirror.checking import estimated_jobs, find_queue, require_readable
from mirror.following import Follower, prepared
from mirror.ledger import Ledger
from mirror.options import MirrorOptions
from mirror.poll import Poller
from mirror.reading import Connection, Found, QueueError, connect
from mirror.slot import SlotReader
from mirror.vanished import Known

RETRIED = (
    *DATABASE_ERRORS,
    CommitUncertainError,
    DatabaseUnavailableError,
    QueueError,
    StatementTimeoutError,
    TransactionAbortedError,
)
# Waits between tries while the queue or the ledger is away.
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 60.0
# How often it is looked whether the source has been changed or removed.
OPTIONS_SECONDS = 30.0
LOCK_SECONDS = 10.0
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = 0"
_LOCK = "SELECT pg_try_advisory_xact_lock($1)"

log = structlog.get_logger("joblens.mirror")


@dataclass(frozen=True, slots=True)
class Step:
    """How far the backfill is: its jobs so far, an estimate of all, and whether it is done."""

    name: str
    backfilled: int
    estimate: int
    is_done: bool


def _ignore(_step: Step) -> None:
    pass


@dataclass(slots=True)
class Runner:
    """Mirrors one source. `url` is that of the ledger, as its engine has it.

    `once`: it ends after one poll and the backfill.
    """

    engine: AsyncEngine
    url: str
    org_id: UUID
    name: str
    once: bool = False
    on_step: Callable[[Step], None] = _ignore
    _failures: int = field(default=0, init=False)

    async def run(self) -> None:
        """Mirror until the source is removed. Raises nothing that may pass."""
        while True:
            try:
                async with self._alone() as lock:
                    if lock is not None and not await self._follow(lock):
                        return
            except RETRIED as error:
                if self.once:
                    raise
                await self._note(error)
            await asyncio.sleep(self._wait())

    def _wait(self) -> float:
        wait: float = min(FIRST_WAIT_SECONDS * 2 ** min(self._failures, 10), LONGEST_WAIT_SECONDS)
        return wait * Backoff().jittered().jitter

    async def _note(self, error: Exception) -> None:
        """Report what went wrong: in the log once, and in the ledger if that is there."""
        if not self._failures:
            log.warning("cannot mirror a source", source=self.name, reason=_reason(error))
        self._failures += 1
        with suppress(*RETRIED):
            async with session_scope(self.org_id, engine=self.engine) as session:
                row = await get_source(session, self.org_id, self.name)
                if row is not None:
                    await update_source(session, self.org_id, row.id, _failed(row, error))

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[Connection | None]:
        """Hold the lock of the source, on a connection of its own; None: another process has it.

        In a transaction that stays open: a pooler would give away a connection without one. It has
        no snapshot, so it keeps nothing from being vacuumed.
        """
        lock = await connect_to_ledger(
            self.url,
            "joblens mirror",
            timeout_seconds=LOCK_SECONDS,
            command_timeout_seconds=LOCK_SECONDS,
        )
        try:
            await lock.execute(_BEGIN)
            key = _lock_key(self.org_id, self.name)
            yield lock if await lock.fetchval(_LOCK, key) else None
        finally:
            with suppress(*RETRIED):
                await lock.close(timeout=LOCK_SECONDS)

    async def _follow(self, lock: Connection) -> bool:
        """Mirror while the options stay and nothing fails; return False if that is all."""
        row = await self._source()
        if row is None or row.settings is None:
            return False
        options = MirrorOptions.read(row.settings)
        connection = await connect(options.address())
        try:
            found = await find_queue(connection, row.kind, options.schema)
            await require_readable(connection, found)
            follower = await self._follower(connection, found, row, options)
            while await self._go_on(connection, follower, options):
                # Without its connection the lock is lost, and another process may have it.
                await lock.execute("SELECT 1")
                changed = await self._source()
                if changed is None or changed.settings != row.settings:
                    return True
            return False
        finally:
            with suppress(*RETRIED):
                await connection.close(timeout=LOCK_SECONDS)

    async def _go_on(
        self, connection: Connection, follower: Follower, options: MirrorOptions
    ) -> bool:
        """Mirror for a while, and backfill in between; return False if that is all."""
        until = monotonic() + OPTIONS_SECONDS
        poller = follower.poller
        estimate = await estimated_jobs(connection, poller.found)
        while self.once or monotonic() < until:
            began = monotonic()
            is_more = await follower.follow(connection)
            self._failures = 0
            is_backfilling = True
            while is_backfilling and (self.once or monotonic() - began < options.interval_seconds):
                is_backfilling = await poller.backfill(connection)
                state = poller.checkpoint["backfill"]
                self.on_step(Step(self.name, state.get("jobs", 0), estimate, not is_backfilling))
            if self.once and not is_more:
                return False
            if not is_backfilling and not is_more:
                await asyncio.sleep(max(0.0, began + options.interval_seconds - monotonic()))
        return True

    async def _source(self) -> Any:
        async with session_scope(self.org_id, engine=self.engine) as session:
            return await get_source(session, self.org_id, self.name)

    async def _follower(
        self, connection: Connection, found: Found, row: Any, options: MirrorOptions
    ) -> Follower:
        async with session_scope(self.org_id, engine=self.engine) as session:
            unfinished = await list_unfinished(session, self.org_id, row.id)
        known = {
            job.external_id: Known(None, JobStatus(job.status), job.attempt, job.scheduled_at)
            for job in unfinished
        }
        ledger = Ledger(self.engine, self.org_id, Source(row.name, row.kind))
        checkpoint: dict[str, Any] = row.checkpoint or {}
        poller = Poller(found, ledger, checkpoint, known)
        if options.way == "poll" or options.slot is None:
            return Follower(poller)
        reader = SlotReader(found, ledger, options.slot, checkpoint)
        return await prepared(connection, poller, reader)


def _lock_key(org_id: UUID, name: str) -> int:
    digest = sha256(f"joblens mirror {org_id} {name}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def _reason(error: Exception) -> str:
    """Say what went wrong. Errors of SQLAlchemy quote the statement: its cause does not."""
    cause = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {str(cause).partition(chr(10))[0]}"[:500]


def _failed(row: Any, error: Exception) -> dict[str, Any]:
    values: dict[str, Any] = {"last_error": _reason(error)}
    if row.last_seen_at is not None:
        values["lag_seconds"] = (datetime.now(UTC) - row.last_seen_at).total_seconds()
    return values
