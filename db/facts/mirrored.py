"""What a mirror keeps of its source, and reads back of the source's jobs."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.rows import AnyRow, AnySelect, read, read_all
from db.statuses import JobStatus
from db.tables import job_table, source_table

source, job = source_table.c, job_table.c
_UNFINISHED = [JobStatus.QUEUED.value, JobStatus.RUNNING.value]


async def get_source(session: AsyncSession, org_id: UUID, name: str) -> AnyRow | None:
    """Get a source with its settings and checkpoint."""
    rows = await read(session, _by_name, org_id, name)
    return rows[0] if rows else None


async def list_mirrored(session: AsyncSession, org_id: UUID) -> Sequence[AnyRow]:
    """List the sources of an organisation that have a mirror, by their names."""
    return await read(session, _with_settings, org_id)


async def update_source(
    session: AsyncSession, org_id: UUID, source_id: UUID, values: Mapping[str, Any]
) -> None:
    """Change columns of a source."""
    changed = update(source_table).where(source.org_id == org_id, source.id == source_id)
    await session.execute(changed.values(**values))


async def list_statuses(
    session: AsyncSession, org_id: UUID, source_id: UUID, external_ids: Sequence[str]
) -> Sequence[AnyRow]:
    """List how jobs of a source are: external_id, status, attempt, updated_at. In no order."""
    return await read(session, _statuses, org_id, source_id, list(external_ids))


async def list_unfinished(session: AsyncSession, org_id: UUID, source_id: UUID) -> Sequence[AnyRow]:
    """List the jobs of a source that have not ended: external_id, status, attempt, scheduled_at."""
    return await read_all(session, _unfinished(org_id, source_id))


def _by_name(org_id: UUID, name: str) -> AnySelect:
    return select(*source_table.c).where(source.org_id == org_id, source.name == name)


def _with_settings(org_id: UUID) -> AnySelect:
    wanted = select(*source_table.c).where(source.org_id == org_id, source.settings.is_not(None))
    return wanted.order_by(source.name)


def _statuses(org_id: UUID, source_id: UUID, external_ids: Sequence[str]) -> AnySelect:
    return select(job.external_id, job.status, job.attempt, job.updated_at).where(
        job.org_id == org_id,
        job.source_id == source_id,
        job.external_id == any_(literal(external_ids, ARRAY(Text()))),
    )


def _unfinished(org_id: UUID, source_id: UUID) -> AnySelect:
    return select(job.external_id, job.status, job.attempt, job.scheduled_at).where(
        job.org_id == org_id, job.source_id == source_id, job.status.in_(_UNFINISHED)
    )
