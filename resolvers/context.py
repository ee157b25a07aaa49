"""The state of one request that resolvers share: viewer, transaction, loaders and clock."""

import asyncio
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Hashable,
    Iterable,
    Sequence,
)
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db import database_errors as db_errors
from db.database_errors import CommitUncertainError, DatabaseUnavailableError, StatementTimeoutError
from db.queries.jobs import JobRow
from db.queries.rows import ReadBudget, TooManyBytesReadError
from db.queries.written import WrittenRows
from db.request_session import RequestSession
from resolvers.audit_entries import AuditEntry
from resolvers.dataloader import LevelLoader, retrieve_exception
from resolvers.efforts import effort_of_any, filters_to_add
from resolvers.errors import (
    QueryTimeoutError,
    ReadOnlyDatabaseError,
    ResponseTooLargeError,
    ScanTimeoutError,
    UnavailableError,
    UncertainError,
)
from resolvers.limits import RequestLimits
from resolvers.redaction import Redaction
from resolvers.response_size import ResponseSize
from resolvers.viewer import Role, Viewer

P = ParamSpec("P")
T = TypeVar("T")
Batch = Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]
WatchLevel = Callable[[str, int], AbstractContextManager[None]]


_REDACTION = Redaction()


class LiveHub(Protocol):
    """The process's resolvers.live.hub.Hub, declared here to avoid a circle of imports."""

    is_closing: bool


class RollbackError(Exception):
    """Raised within a `Context.write` block, it rolls back the writes and ends the block."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _no_trace() -> None:
    return None


@dataclass(slots=True)
class Context:
    """The state of one request.

    `now`: the time that all ages and durations refer to; each write updates it from `clock`.
    `live`: the hub of the process's subscriptions, None where there are none.
    `viewer_redaction`: what is redacted for the viewer, None if it may see secrets.
    `selected`: what schema.selections has read from the query. `audit_entries`: the outcomes of
    the mutation's fields. `size`: the size of the response so far. `shields_reads`: whether fields
    may be cancelled one by one, as graphql-core does with the siblings of a failed one. `trace_id`:
    gets that of the trace that the request is a part of. `watch_level`: what is entered while the
    engine waits for the fields of so many objects of a type.
    """

    viewer: Viewer
    session: RequestSession
    limits: RequestLimits = field(default_factory=RequestLimits)
    live: LiveHub | None = None
    redaction: Redaction = _REDACTION
    viewer_redaction: Redaction | None = field(init=False)
    clock: Callable[[], datetime] = _utc_now
    now: datetime = field(init=False)
    selected: dict[Hashable, Any] = field(default_factory=dict)
    audit_entries: list[AuditEntry] = field(default_factory=list)
    size: ResponseSize = field(init=False)
    shields_reads: bool = True
    trace_id: Callable[[], str | None] = _no_trace
    watch_level: WatchLevel | None = None
    _read_budget: ReadBudget = field(init=False)
    _loaders: dict[Hashable, LevelLoader] = field(default_factory=dict)
    _jobs: dict[UUID, tuple[JobRow, frozenset[str]]] = field(default_factory=dict)
    # Rows to cache, and their columns; they are indexed when one is looked up.
    _read_jobs: list[tuple[Iterable[JobRow], frozenset[str]]] = field(default_factory=list)
    _writing: RequestSession | None = None
    _is_stopped: bool = False

    def __post_init__(self) -> None:
        self.now = self.clock()
        is_admin = self.viewer.may(Role.ADMIN)
        self.viewer_redaction = None if is_admin else self.redaction
        self.size = ResponseSize(self.limits.max_response_bytes)
        self._read_budget = ReadBudget(self.limits.max_response_bytes)

    def redact_json(self, value: str | None) -> str | None:
        """Redact the text of a JSON column for the viewer."""
        if self.size.is_too_large:
            # The response will not be sent: avoid the memory of a redacted copy.
            return None
        return value if self.viewer_redaction is None else self.viewer_redaction.json(value)

    def without_secrets(self, written: dict[UUID, WrittenRows]) -> dict[UUID, WrittenRows]:
        """Return those texts that have nothing to redact for the viewer."""
        redaction = self.viewer_redaction
        if redaction is None or not redaction.may_contain_secrets(
            "".join(rows.text for rows in written.values()).encode()
        ):
            return written
        return {
            key: rows
            for key, rows in written.items()
            if not redaction.may_contain_secrets(rows.text.encode())
        }

    def redact_text(self, name: str, text: str | None) -> str | None:
        """Redact text, such as an error message, for the viewer. `name`: the key it is under."""
        return text if self.viewer_redaction is None else self.viewer_redaction.text(name, text)

    async def read(
        self,
        query: Callable[Concatenate[AsyncSession, UUID, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a query of db.queries for the viewer's organisation, in this request's transaction.

        If `shields_reads`, a statement in progress is not cancelled with the calling field; it runs
        until it ends or `close` cancels it. Raises QueryTimeoutError, ScanTimeoutError,
        UnavailableError and ResponseTooLargeError.
        """
        reading = self._read(query, *args, **kwargs)
        try:
            if not self.shields_reads:
                return await reading
            running = asyncio.ensure_future(reading)
            running.add_done_callback(retrieve_exception)
            return await asyncio.shield(running)
        except TooManyBytesReadError:
            self.size.exceed()
            raise ResponseTooLargeError(self.size.max_bytes) from None
        except db_errors.ScanTimeoutError:
            raise ScanTimeoutError(filters_to_add(args)) from None
        except StatementTimeoutError:
            raise QueryTimeoutError from None
        except DatabaseUnavailableError:
            raise UnavailableError from None

    async def _read(
        self,
        query: Callable[Concatenate[AsyncSession, UUID, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        async with self.session.use(effort_of_any(args)) as session:
            self._check_size()
            session.info[ReadBudget.KEY] = self._read_budget
            return await query(session, self.viewer.org_id, *args, **kwargs)

    def _check_size(self) -> None:
        if self.size.is_too_large:
            raise ResponseTooLargeError(self.size.max_bytes)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[tuple[AsyncSession, UUID]]:
        """Yield a session that can write and the organisation's id; commit at the end of the block.

        First drops what the request has read and releases its connection, since holding one while
        waiting for another could deadlock. Raises as `read` does, with the writes rolled back,
        ReadOnlyDatabaseError on a standby, and UncertainError if the outcome of the commit is
        unknown. A RollbackError of the block is suppressed.
        """
        self._check_size()
        await self._discard_reads()
        if self._is_stopped:
            raise QueryTimeoutError
        try:
            async with self.session.writable() as writing:
                self._writing = writing
                async with writing.use() as session:
                    # Taken now: the request may have waited for the connection.
                    self.now = self.clock()
                    yield session, self.viewer.org_id
                await writing.commit()
        except RollbackError:
            pass
        except CommitUncertainError:
            raise UncertainError from None
        except StatementTimeoutError:
            raise QueryTimeoutError from None
        except db_errors.ReadOnlyDatabaseError:
            raise ReadOnlyDatabaseError from None
        except DatabaseUnavailableError:
            raise UnavailableError from None
        finally:
            self._writing = None

    async def _discard_reads(self) -> None:
        """End the read transaction and drop what was read in it."""
        await self.close()
        self.session = self.session.renewed()
        if self._is_stopped:
            self.session.stop(StatementTimeoutError())
        self._loaders.clear()
        self._jobs.clear()
        self._read_jobs.clear()

    def stop(self) -> None:
        """Stop all database work of the request: it timed out, or its client has left.

        Cancels running statements; pending and later calls of `read` and `write` raise
        QueryTimeoutError. Writes are rolled back, but a commit in progress is completed.
        """
        self._is_stopped = True
        for session in (self.session, self._writing):
            if session is not None:
                session.stop(StatementTimeoutError())

    async def close(self) -> None:
        """End the read transaction and cancel a statement that is still running."""
        await self.session.close()

    def attribution(self, reason: str | None = None) -> dict[str, str]:
        """Return the members of an event's detail that state who caused it and why."""
        detail = {"by": self.viewer.subject, "reason": reason, "trace_id": self.trace_id()}
        return {name: value for name, value in detail.items() if value is not None}

    async def load(self, key: Hashable, batch: Batch, ids: Iterable[Hashable]) -> list[Any]:
        """Load the answers to the ids of a level in their order, by the request's loader for `key`.

        Concurrent levels of the same loader share one call of `batch`, which gets distinct ids. The
        key must include everything that `batch` depends on besides the ids, such as paging
        arguments and columns.
        """
        loader = self._loaders.get(key)
        if loader is None:
            loader = self._loaders[key] = LevelLoader(batch)
        answers: list[Any] = await loader.load(tuple(ids))
        return answers

    def cache_jobs(self, rows: Iterable[JobRow], columns: Collection[str]) -> None:
        """Cache rows for fields that reach the same jobs by another path."""
        self._read_jobs.append((rows, frozenset(columns)))

    def cached_job(self, job_id: UUID, columns: Collection[str]) -> JobRow | None:
        """Return a cached row of the job that has all these columns, or None."""
        while self._read_jobs:
            rows, read = self._read_jobs.pop(0)
            for row in rows:
                cached = self._jobs.get(row.id)
                if cached is None or cached[1] <= read:
                    self._jobs[row.id] = (row, read)
        cached = self._jobs.get(job_id)
        return cached[0] if cached is not None and cached[1].issuperset(columns) else None
