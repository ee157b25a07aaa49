"""Payloads of new jobs compared with those of jobs that exist, by what a caller may see of both."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Text, Uuid, and_, cast, column, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db.database_errors import DatabaseUnavailableError
from db.queries.rows import AnyRow, read_all
from db.tables import job_table

# Writes the value of a JSON column without what the caller may not see.
Hide = Callable[[orjson.Fragment | None], orjson.Fragment | None]

# Payloads may be large: so many are read, and looked through, at once.
TOGETHER = 10

job = job_table.c


async def equal_as_shown(
    session: AsyncSession, org_id: UUID, pairs: Sequence[tuple[UUID, Any]], hide: Hide
) -> list[bool]:
    """Say of each job and payload whether `hide` writes the job's own payload alike.

    What is hidden makes no difference, neither to the answer nor to the statements. Raises
    DatabaseUnavailableError for a job that was deleted meanwhile.
    """
    verdicts: list[bool] = []
    for start in range(0, len(pairs), TOGETHER):
        some = pairs[start : start + TOGETHER]
        rows = await _read(session, org_id, some)
        if len(rows) < len(some):
            raise DatabaseUnavailableError("A job that holds one of these keys was deleted.")
        shown = [[_written(hide(each)) for each in row] for row in rows]
        verdicts += await _compare(session, shown)
    return verdicts


async def _read(
    session: AsyncSession, org_id: UUID, pairs: Sequence[tuple[UUID, Any]]
) -> Sequence[AnyRow]:
    """Read the jobs' payloads, each with the given one as the database would hold it."""
    ids = literal([job_id for job_id, _ in pairs], ARRAY(Uuid()))
    given = literal([_written(payload) for _, payload in pairs], ARRAY(Text()))
    pair = _table(func.unnest(ids, given), "id", "given")
    statement = (
        select(cast(pair.c.given, JSONB()).label("given"), job.payload)
        .select_from(pair)
        .join(job_table, and_(job.org_id == org_id, job.id == pair.c.id))
        .order_by(pair.c.place)
    )
    return await read_all(session, statement)


async def _compare(session: AsyncSession, shown: Sequence[Sequence[str | None]]) -> Sequence[bool]:
    one, other = (literal(list(texts), ARRAY(Text())) for texts in zip(*shown, strict=True))
    pair = _table(func.unnest(one, other), "one", "other")
    equal = cast(pair.c.one, JSONB()).is_not_distinct_from(cast(pair.c.other, JSONB()))
    return (await session.scalars(select(equal).order_by(pair.c.place))).all()


def _table(arrays: Any, *names: str) -> Any:
    return arrays.table_valued(
        *map(column, names), with_ordinality="place", name="pair"
    ).render_derived()


def _written(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
