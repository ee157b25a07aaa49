"""The search for jobs by text: in error messages, with a function, and in keys and ids."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Boolean, Text, Uuid, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.criteria import Locations, MessagePart, SearchCriteria
from db.queries.filters import begins_with, job
from db.queries.locations import MOST_JOBS, located
from db.queries.rows import AnySelect, read, read_one
from db.statements import is_citus

# A function's expression, or a subquery that makes an array.
AnyExpression = Any


async def locate_jobs_with_message(
    session: AsyncSession, _org_id: UUID, part: MessagePart, *, with_common: bool = False
) -> Locations | None:
    """Locate all jobs of the session's organisation whose message contains the text, and more.

    None: they are too many or, but for `with_common`, common, or the index has no such text: it has
    less than three characters; or the database cannot tell: on Citus the workers do not have the
    function.
    """
    if await is_citus(session):
        return None
    found: Locations | None = await read_one(session, _with_message, part, with_common)
    return found


async def find_jobs_by_key_or_id(
    session: AsyncSession, org_id: UUID, search: SearchCriteria
) -> Sequence[UUID] | None:
    """Find all jobs whose idempotency key or id begins with the text; None if they are many."""
    (row,) = await read(session, _by_key_or_id, org_id, search)
    found = {*row.by_key, *row.by_id}
    return None if len(found) > MOST_JOBS else sorted(found)


def _with_message(part: MessagePart, with_common: bool) -> AnySelect:
    return located(
        func.joblens_rows_with_error_text,
        literal(part.text, Text()),
        literal(not part.hides_credentials, Boolean()),
        literal(part.among_messages, Boolean()),
        with_common=with_common,
    )


def _by_key_or_id(org_id: UUID, search: SearchCriteria) -> AnySelect:
    by_key = _ids(org_id, begins_with(job.idempotency_key, search.text))
    by_id: AnyExpression = literal([], ARRAY(Uuid()))
    if search.first_id is not None and search.last_id is not None:
        by_id = _ids(org_id, job.id >= search.first_id, job.id <= search.last_id)
    return select(by_key.label("by_key"), by_id.label("by_id"))


def _ids(org_id: UUID, *conditions: Any) -> AnyExpression:
    most = literal(MOST_JOBS + 1, BigInteger())
    return func.array(
        select(job.id).where(job.org_id == org_id, *conditions).limit(most).scalar_subquery()
    )
