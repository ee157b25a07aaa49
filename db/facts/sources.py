"""Sources: which systems an organisation takes facts from."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.rows import AnyRow, AnySelect, read
from db.tables import source_table
from db.validation import name_fault

source = source_table.c


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


async def ensure_source(session: AsyncSession, org_id: UUID, wanted: Source) -> UUID:
    """Return the id of the source with this name, which is added if there is none."""
    found = await read(session, _by_name, org_id, wanted.name)
    if not found:
        adding = insert(source_table).values(org_id=org_id, name=wanted.name, kind=wanted.kind)
        await session.execute(adding.on_conflict_do_nothing())
        found = await read(session, _by_name, org_id, wanted.name)
    return UUID(str(found[0].id))


async def list_sources(
    session: AsyncSession, org_id: UUID, columns: Collection[str]
) -> Sequence[AnyRow]:
    """List the sources of an organisation, by their names."""
    return await read(session, _all, org_id, frozenset(columns))


async def load_sources(
    session: AsyncSession, org_id: UUID, ids: Collection[UUID], columns: Collection[str]
) -> Sequence[AnyRow]:
    """Load the sources with these ids."""
    return await read(session, _by_id, org_id, list(ids), frozenset(columns))


def _by_name(org_id: UUID, name: str) -> AnySelect:
    return select(source.id).where(source.org_id == org_id, source.name == name)


def _all(org_id: UUID, columns: frozenset[str]) -> AnySelect:
    wanted = (source[name] for name in sorted({"id", "name", *columns}))
    return select(*wanted).where(source.org_id == org_id).order_by(source.name)


def _by_id(org_id: UUID, ids: Sequence[UUID], columns: frozenset[str]) -> AnySelect:
    wanted = (source[name] for name in sorted({"id", *columns}))
    return select(*wanted).where(source.org_id == org_id, source.id.in_(ids))
