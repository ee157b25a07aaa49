"""The search for payloads in their index, by the function of a migration."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, literal
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import JsonContainment, Locations
from db.queries.locations import located
from db.queries.rows import AnySelect, read_one
from db.statements import is_citus


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


async def locate_jobs_containing(
    session: AsyncSession,
    _org_id: UUID,
    containment: JsonContainment,
    *,
    with_common: bool = False,
) -> Locations | None:
    """Locate all jobs of the session's organisation whose payload contains the document.

    None: they are too many or, but for `with_common`, common, or the database cannot tell: on Citus
    the workers do not have the function. The document must be indexed.
    """
    if await is_citus(session):
        return None
    found: Locations | None = await read_one(session, _located, containment, with_common)
    return found


def _located(containment: JsonContainment, with_common: bool) -> AnySelect:
    document = literal(containment.document, JSONB(none_as_null=False))
    return located(func.joblens_rows_containing, document, with_common=with_common)
