"""The search for payloads and tags in their indexes, by the functions of migrations."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, func, literal, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JsonContainment, Tags
from db.queries.rows import AnySelect, read_one
from db.statements import is_citus
from db.tables import job_table

# The most jobs that are read by their ids, instead of the newest jobs until a page is full.
MOST_JOBS = 10_000
# Tags are common if so many of the newest jobs have them; as in the function of migration 0009.
NEWEST, COMMON = 2_000, 40


def is_indexed(document: Any) -> bool:
    """Return whether the index finds the payloads that contain this document.

    It has the scalars of a payload, each with the keys that lead to it. A list contains a bare
    scalar only at the top, where the index does not find it.
    """
    return isinstance(document, dict | list) and _has_scalar(document)


def _has_scalar(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_scalar, value.values()))
    return any(map(_has_scalar, value)) if isinstance(value, list) else True


async def find_jobs_containing(
    session: AsyncSession, _org_id: UUID, containment: JsonContainment
) -> Sequence[UUID] | None:
    """Find all jobs of the session's organisation whose payload contains the document.

    None: they are too many, or many of the newest jobs, or the database cannot tell: on Citus the
    workers do not have the function. The document must be indexed.
    """
    if await is_citus(session):
        return None
    found: Sequence[UUID] | None = await read_one(session, _find, containment)
    return found


async def find_jobs_with_tags(
    session: AsyncSession, _org_id: UUID, wanted: Tags
) -> Sequence[UUID] | None:
    """Find all jobs of the session's organisation that have these tags; None as above."""
    if await is_citus(session):
        return None
    found: Sequence[UUID] | None = await read_one(session, _find_tagged, wanted)
    return found


async def are_tags_common(session: AsyncSession, org_id: UUID, wanted: Tags) -> bool:
    """Return whether so many of the newest jobs have these tags that a page is soon full."""
    return bool(await read_one(session, _count_newest, org_id, wanted) >= COMMON)


def _count_newest(org_id: UUID, wanted: Tags) -> AnySelect:
    newest = (
        select(job_table.c.tags)
        .where(job_table.c.org_id == org_id)
        .order_by(job_table.c.created_at.desc(), job_table.c.id.desc())
        .limit(literal_column(str(NEWEST)))
        .subquery("newest")
        .c
    )
    return select(func.count()).where(newest.tags.contains(literal(wanted.tags, JSONB())))


def _find_tagged(wanted: Tags) -> AnySelect:
    tags = literal(wanted.tags, JSONB())
    return select(func.joblens_jobs_with_tags(tags, literal(MOST_JOBS, Integer())))


def _find(containment: JsonContainment) -> AnySelect:
    document = literal(containment.document, JSONB(none_as_null=False))
    return select(func.joblens_jobs_containing(document, literal(MOST_JOBS, Integer())))
