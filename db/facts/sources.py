"""Sources: which systems an organisation takes facts from."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Update, Uuid, any_, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.limits import MAX_SOURCES
from db.queries.rows import AnyRow, AnySelect, read
from db.tables import source_table
from db.validation import name_fault

source = source_table.c
# How old `last_seen_at` gets while facts are reported.
NOTED_EVERY = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Source:
    """A system that runs jobs: its `name` in the organisation, and the `kind` of its queue."""

    name: str
    kind: str

    @property
    def faults(self) -> dict[str, str]:
        """Why its values are invalid, by their names."""
        found = {"name": name_fault(self.name), "kind": name_fault(self.kind)}
        return {name: fault for name, fault in found.items() if fault is not None}


class TooManySourcesError(Exception):
    """The organisation has MAX_SOURCES others."""

    def __init__(self) -> None:
        super().__init__(f"An organisation may have at most {MAX_SOURCES} sources.")


async def ensure_source(
    session: AsyncSession, org_id: UUID, wanted: Source, now: datetime | None = None
) -> UUID:
    """Return the id of the source with this name, which is added if there is none.

    `now`: when a fact of it came, which is noted every few seconds; None: not noted. Raises
    TooManySourcesError.
    """
    found = await read(session, _by_name, org_id, wanted.name)
    if not found:
        # Some more may be added by processes that count at the same time.
        if (await read(session, _count, org_id))[0].sources >= MAX_SOURCES:
            raise TooManySourcesError
        adding = insert(source_table).values(
            org_id=org_id, name=wanted.name, kind=wanted.kind, last_seen_at=now
        )
        await session.execute(adding.on_conflict_do_nothing())
        found = await read(session, _by_name, org_id, wanted.name)
    known = found[0]
    last = known.last_seen_at
    if now is not None and (last is None or last < now - NOTED_EVERY):
        await session.execute(_noted(org_id, known.id, now))
    return UUID(str(known.id))


async def list_sources(session: AsyncSession, org_id: UUID) -> Sequence[AnyRow]:
    """List the sources of an organisation, by their names."""
    return await read(session, _all, org_id)


async def load_sources(
    session: AsyncSession, org_id: UUID, ids: Collection[UUID]
) -> Sequence[AnyRow]:
    """Load the sources with these ids, unordered."""
    return await read(session, _by_id, org_id, list(ids))


def _by_name(org_id: UUID, name: str) -> AnySelect:
    columns = source.id, source.last_seen_at
    return select(*columns).where(source.org_id == org_id, source.name == name)


def _noted(org_id: UUID, source_id: UUID, now: datetime) -> Update:
    # Of many processes that report facts at once, one notes it, and none waits.
    own = source.org_id == org_id, source.id == source_id
    free = select(source.id).where(*own).with_for_update(skip_locked=True)
    changed = update(source_table).where(source.org_id == org_id, source.id.in_(free))
    return changed.values(last_seen_at=now)


def _count(org_id: UUID) -> AnySelect:
    return select(func.count().label("sources")).where(source.org_id == org_id)


def _all(org_id: UUID) -> AnySelect:
    return select(*_shown()).where(source.org_id == org_id).order_by(source.name)


def _by_id(org_id: UUID, ids: Sequence[UUID]) -> AnySelect:
    wanted = source.id == any_(literal(ids, ARRAY(Uuid())))
    return select(*_shown()).where(source.org_id == org_id, wanted)


def _shown() -> list[Any]:
    names = ("id", "name", "kind", "lag_seconds", "last_seen_at", "last_error", "backlog_bytes")
    return [source[name] for name in names]
