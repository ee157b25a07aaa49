"""What one request carries to its resolvers: who asks, its transaction, its loaders, its clock."""

from collections.abc import Awaitable, Callable, Collection, Coroutine, Hashable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from aiodataloader import DataLoader
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.jobs import JobRow
from db.sessions import DatabaseUnavailableError, RequestSession, StatementTimeoutError
from resolvers.errors import QueryTimeoutError, UnavailableError

P = ParamSpec("P")
T = TypeVar("T")
Batch = Callable[[list[Any]], Coroutine[Any, Any, list[Any]]]


class Role(StrEnum):
    """What a viewer may do; each role may do what those before it may."""

    VIEWER = "viewer"
    WRITER = "writer"
    OPERATOR = "operator"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks: their organisation, their name in it, and what they may do."""

    org_id: UUID
    subject: str
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one field may ask for."""

    page_size_default: int = 50
    page_size_max: int = 200


@dataclass(slots=True)
class Context:
    """One request. `now` is its clock: all durations of one response end at the same moment.

    `selected` keeps what the schema has read from the query's selections.
    """

    viewer: Viewer
    session: RequestSession
    limits: Limits = field(default_factory=Limits)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    selected: dict[Hashable, Any] = field(default_factory=dict)
    _loaders: dict[Hashable, DataLoader[Any, Any]] = field(default_factory=dict)
    _jobs: dict[UUID, tuple[JobRow, frozenset[str]]] = field(default_factory=dict)

    async def read(
        self,
        query: Callable[Concatenate[AsyncSession, UUID, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a query of db.queries for the viewer's organisation, in this request's transaction.

        Raises QueryTimeoutError or UnavailableError where the database did not answer.
        """
        try:
            async with self.session.use() as session:
                return await query(session, self.viewer.org_id, *args, **kwargs)
        except StatementTimeoutError:
            raise QueryTimeoutError from None
        except DatabaseUnavailableError:
            raise UnavailableError from None

    def loader(self, key: Hashable, batch: Batch) -> DataLoader[Any, Any]:
        """Get the request's DataLoader of this key, made with `batch` when first asked for.

        The key holds all that shapes the batch besides the ids: paging arguments, columns.
        """
        loader = self._loaders.get(key)
        if loader is None:
            loader = self._loaders[key] = DataLoader(batch)
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
