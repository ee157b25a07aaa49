"""Rows as named tuples: a response reads thousands of their attributes, SQLAlchemy's are slow."""

from collections import namedtuple
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

# A named tuple of the columns that were asked for: which ones only its query knows.
AnyRow: TypeAlias = Any
AnySelect = Select[*tuple[Any, ...]]


async def read_all(session: AsyncSession, statement: AnySelect) -> list[AnyRow]:
    """Run the statement and read all its rows."""
    result = await session.execute(statement)
    return list(map(_row_type(tuple(result.keys()))._make, result.all()))


def narrow(row: AnyRow, names: Sequence[str]) -> AnyRow:
    """Make a named tuple of these columns of a row that may have others too."""
    return _row_type(tuple(names))._make(getattr(row, name) for name in names)


@lru_cache(maxsize=1_000)
def _row_type(names: tuple[str, ...]) -> Any:
    return namedtuple("Row", names)  # noqa: PYI024 - the names come with the query
