"""Comparison of the payloads of new and existing jobs, limited to what the caller may see."""

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

# Returns the text of a JSON column without the parts that the caller may not see.
Hide = Callable[[str | None], str | None]

# Payloads may be large: they are read and compared in batches of this size.
BATCH_SIZE = 10

job = job_table.c


async def visibly_equal(
    session: AsyncSession, org_id: UUID, pairs: Sequence[tuple[UUID, Any]], hide: Hide
) -> list[bool]:
    """Return for each job and payload whether they are equal after `hide`.

    Hidden parts affect neither the result nor the statements. Raises DatabaseUnavailableError if
    one of the jobs was deleted meanwhile.
    """
    results: list[bool] = []
    for start in range(0, len(pairs), BATCH_SIZE):
        batch = pairs[start : start + BATCH_SIZE]
        rows = await _read(session, org_id, batch)
        if len(rows) < len(batch):
            raise DatabaseUnavailableError("A job that holds one of these keys was deleted.")
        visible = [[hide(value) for value in row] for row in rows]
        results += await _compare(session, visible)
    return results


async def _read(
    session: AsyncSession, org_id: UUID, pairs: Sequence[tuple[UUID, Any]]
) -> Sequence[AnyRow]:
    """Read the jobs' payloads, each with the given one as jsonb stores it."""
    ids = literal([job_id for job_id, _ in pairs], ARRAY(Uuid()))
    given = literal([_json_text(payload) for _, payload in pairs], ARRAY(Text()))
    pair = _table(func.unnest(ids, given), "id", "given")
    statement = (
        select(cast(pair.c.given, JSONB()).label("given"), job.payload)
        .select_from(pair)
        .join(job_table, and_(job.org_id == org_id, job.id == pair.c.id))
        .order_by(pair.c.position)
    )
    return await read_all(session, statement)


async def _compare(session: AsyncSession, rows: Sequence[Sequence[str | None]]) -> Sequence[bool]:
    one, other = (literal(list(texts), ARRAY(Text())) for texts in zip(*rows, strict=True))
    pair = _table(func.unnest(one, other), "one", "other")
    equal = cast(pair.c.one, JSONB()).is_not_distinct_from(cast(pair.c.other, JSONB()))
    return (await session.scalars(select(equal).order_by(pair.c.position))).all()


def _table(arrays: Any, *names: str) -> Any:
    return arrays.table_valued(
        *map(column, names), with_ordinality="position", name="pair"
    ).render_derived()


def _json_text(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
