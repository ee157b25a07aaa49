"""What one request carries to its resolvers: who asks, its transaction, its loaders, its clock."""

import asyncio
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Hashable,
    Iterable,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

import orjson
from aiodataloader import DataLoader
from sqlalchemy.ext.asyncio import AsyncSession

from db.backoff import Backoff
from db.database_errors import CommitUncertainError, DatabaseUnavailableError, StatementTimeoutError
from db.limits import MAX_JSON_BYTES
from db.queries.jobs import JobRow
from db.queries.rows import ReadBudget, TooManyBytesReadError
from db.request_session import RequestSession
from resolvers.audit_entries import AuditEntry
from resolvers.errors import (
    QueryTimeoutError,
    ResponseTooLargeError,
    UnavailableError,
    UncertainError,
)
from resolvers.redaction import Redaction
from resolvers.response_size import ResponseSize

if TYPE_CHECKING:
    from resolvers.live.hub import Hub

P = ParamSpec("P")
T = TypeVar("T")
Batch = Callable[[list[Any]], Coroutine[Any, Any, list[Any]]]


class Role(StrEnum):
    """What a viewer may do; each role may do what those before it may."""

    VIEWER = "viewer"
    WRITER = "writer"
    OPERATOR = "operator"
    ADMIN = "admin"


_RANKS = {role: rank for rank, role in enumerate(Role)}
_REDACTION = Redaction()


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks: their organisation, their name in it, and what they may do."""

    org_id: UUID
    subject: str
    roles: tuple[Role, ...]

    def may(self, role: Role) -> bool:
        """Say whether one of their roles is this one, or a later one."""
        return any(_RANKS[held] >= _RANKS[role] for held in self.roles)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one field may ask for, and how long a retry waits."""

    page_size_default: int = 50
    page_size_max: int = 200
    max_json_bytes: int = MAX_JSON_BYTES
    max_response_bytes: int = 16_777_216
    backoff: Backoff = field(default_factory=Backoff)


class NothingKeptError(Exception):
    """Raised inside `Context.write`, it ends the block: what was written is undone."""


class Loader(DataLoader[Any, Any]):
    """A DataLoader whose values several fields may await: one that is cancelled takes none along.

    GraphQL cancels the siblings of a field that failed, but not the same fields elsewhere.
    """

    def load(self, key: Any) -> "asyncio.Future[Any]":
        """Get the value's future, one for each who asks."""
        value = super().load(key)
        value.add_done_callback(_take_note)
        return asyncio.shield(value)


def _take_note(value: "asyncio.Future[Any]") -> None:
    # An error that comes when all who asked are cancelled must not be logged as forgotten.
    if not value.cancelled():
        value.exception()


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Context:
    """One request. `now` is the time of its `clock` at which all durations of one query end.

    A write takes it again, for itself and for what is read after it.

    `selected` keeps what the schema has read from the query's selections; `live` is the process's
    hub, for subscriptions; `deeds` are what its mutations came to, for the audit log. `hiding` is
    the redaction, None where the viewer may see secrets. `size` is that of the answer by now.
    """

    viewer: Viewer
    session: RequestSession
    limits: Limits = field(default_factory=Limits)
    live: "Hub | None" = None
    redaction: Redaction = _REDACTION
    hiding: Redaction | None = field(init=False)
    clock: Callable[[], datetime] = _utc_now
    now: datetime = field(init=False)
    selected: dict[Hashable, Any] = field(default_factory=dict)
    deeds: list[AuditEntry] = field(default_factory=list)
    size: ResponseSize = field(init=False)
    _read_budget: ReadBudget = field(init=False)
    _loaders: dict[Hashable, Loader] = field(default_factory=dict)
    _jobs: dict[UUID, tuple[JobRow, frozenset[str]]] = field(default_factory=dict)
    _writing: RequestSession | None = None
    _is_stopped: bool = False

    def __post_init__(self) -> None:
        self.now = self.clock()
        self.hiding = None if self.viewer.may(Role.ADMIN) else self.redaction
        self.size = ResponseSize(self.limits.max_response_bytes)
        self._read_budget = ReadBudget(self.limits.max_response_bytes)

    def shown_json(self, value: orjson.Fragment | None) -> orjson.Fragment | None:
        """Show a JSON column's value as the viewer may see it."""
        if self.size.is_too_large:
            # It will not be sent: spare the memory that a redacted copy takes.
            return None
        return value if self.hiding is None else self.hiding.json(value)

    def shown_text(self, name: str, text: str | None) -> str | None:
        """Show a message, and what else was in words under this name, as the viewer may see it."""
        return text if self.hiding is None else self.hiding.message(name, text)

    async def read(
        self,
        query: Callable[Concatenate[AsyncSession, UUID, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a query of db.queries for the viewer's organisation, in this request's transaction.

        GraphQL cancels the siblings of a field that failed; a statement that has begun goes on all
        the same until `close`, for cancelling its task would cost the connection. Raises
        QueryTimeoutError or UnavailableError where the database did not answer, and
        ResponseTooLargeError where the answer would be.
        """

        async def run() -> T:
            async with self.session.use() as session:
                self._check_size()
                session.info[ReadBudget.KEY] = self._read_budget
                return await query(session, self.viewer.org_id, *args, **kwargs)

        running = asyncio.ensure_future(run())
        running.add_done_callback(_take_note)
        try:
            return await asyncio.shield(running)
        except TooManyBytesReadError:
            self.size.exceed()
            raise ResponseTooLargeError(self.size.max_bytes) from None
        except StatementTimeoutError:
            raise QueryTimeoutError from None
        except DatabaseUnavailableError:
            raise UnavailableError from None

    def _check_size(self) -> None:
        if self.size.is_too_large:
            raise ResponseTooLargeError(self.size.max_bytes)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[tuple[AsyncSession, UUID]]:
        """Lend out a session that may write, and the organisation; commit at the end.

        What the request has read is forgotten before, and its connection given back: a request
        that held one while it waits for another would keep those of others waiting. Raises as
        `read` does, nothing is kept then; and UncertainError where that is not known. The block
        may raise NothingKeptError, which goes no further.
        """
        self._check_size()
        await self._read_anew()
        if self._is_stopped:
            raise QueryTimeoutError
        try:
            async with self.session.writable() as writing:
                self._writing = writing
                async with writing.use() as session:
                    # Now, not when the request came: it may have waited for the connection.
                    self.now = self.clock()
                    yield session, self.viewer.org_id
                await writing.commit()
        except NothingKeptError:
            pass
        except CommitUncertainError:
            raise UncertainError from None
        except StatementTimeoutError:
            raise QueryTimeoutError from None
        except DatabaseUnavailableError:
            raise UnavailableError from None
        finally:
            self._writing = None

    async def _read_anew(self) -> None:
        """Forget what was read until now."""
        await self.close()
        self.session = self.session.renewed()
        if self._is_stopped:
            self.session.stop(StatementTimeoutError())
        self._loaders.clear()
        self._jobs.clear()

    def stop(self) -> None:
        """Let the request ask the database for nothing more: its time is up, or nobody waits.

        What runs is cancelled; whoever waits for it, or asks later, gets QueryTimeoutError. What
        it writes is undone, unless it is being committed already: that is finished.
        """
        self._is_stopped = True
        for session in (self.session, self._writing):
            if session is not None:
                session.stop(StatementTimeoutError())

    async def close(self) -> None:
        """End the transaction that the request reads in; a statement still running is cancelled."""
        await self.session.close()

    def signature(self, reason: str | None = None) -> dict[str, str]:
        """Say who acts and why, for the detail of an event."""
        signed = {"by": self.viewer.subject}
        return signed if reason is None else {**signed, "reason": reason}

    def loader(self, key: Hashable, batch: Batch) -> Loader:
        """Get the request's loader of this key, made with `batch` when first asked for.

        The key holds all that shapes the batch besides the ids: paging arguments, columns.
        """
        loader = self._loaders.get(key)
        if loader is None:
            loader = self._loaders[key] = Loader(batch)
        return loader

    def remember_jobs(self, rows: Iterable[JobRow], columns: Collection[str]) -> None:
        """Keep these rows for fields that reach the same jobs by another way."""
        known = frozenset(columns)
        for row in rows:
            held = self._jobs.get(row.id)
            if held is None or held[1] <= known:
                self._jobs[row.id] = (row, known)

    def remembered_job(self, job_id: UUID, columns: Collection[str]) -> JobRow | None:
        """Get a row of this job that has all these columns, if the request has read one."""
        held = self._jobs.get(job_id)
        return held[0] if held is not None and held[1].issuperset(columns) else None
