"""Rows as named tuples, whose attributes are faster than those of SQLAlchemy's rows.

The bytes of large columns are counted while they are read, to bound the memory of a response.
"""

from collections import namedtuple
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from db.statements import prepare
from db.templates import Build

# A named tuple of the requested columns, which only the query knows.
AnyRow: TypeAlias = Any
AnySelect = Select[*tuple[Any, ...]]

# Columns whose values may have thousands of bytes; all others have hundreds at most.
LARGE = frozenset(
    {
        "payload",
        "result",
        "detail",
        "last_error_message",
        "error_code",
        "error_message",
        "written",
    }
)
# Text columns that have at most MAX_NAME_LENGTH characters.
NAMES = frozenset(
    {
        "type",
        "queue",
        "requested_by",
        "idempotency_key",
        "last_error_code",
        "worker",
        "batch",
        "external_id",
    }
)
# Rows with large columns are fetched in chunks of the first size, doubled up to the second. Results
# that fit in the first chunk are fetched without a cursor, which costs round trips.
FIRST_CHUNK_ROWS, MAX_CHUNK_ROWS = 200, 400


class TooManyBytesReadError(Exception):
    """The rows read for a response exceed its limit."""


class ReadBudget:
    """Counts the bytes of large columns that were read for a response, up to a limit."""

    KEY = "joblens_read_budget"

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0

    def add(self, rows: Iterable[Sequence[Any]], large: Sequence[int]) -> None:
        """Count the columns at these indexes of the rows. Raises TooManyBytesReadError."""
        for index in large:
            self._bytes += sum([len(row[index] or "") for row in rows])
        if self._bytes > self._max_bytes:
            raise TooManyBytesReadError


async def read(
    session: AsyncSession, build: Build, *arguments: Any, most_rows: int | None = None
) -> list[AnyRow]:
    """Read all rows of the statement that `build` builds from these arguments; see db.templates.

    `most_rows`: their maximum, if known. Raises TooManyBytesReadError if the session has a
    ReadBudget that is exceeded.
    """
    statement = await prepare(session, build, *arguments)
    make = row_type(statement.names)._make
    large = _large(statement.names)
    budget: ReadBudget | None = session.info.get(ReadBudget.KEY) if large else None
    if budget is None or (most_rows is not None and most_rows <= FIRST_CHUNK_ROWS):
        found = await statement.rows()
        if budget is not None:
            budget.add(found, large)
        return list(map(make, found))
    rows: list[AnyRow] = []
    async with aclosing(statement.chunks(FIRST_CHUNK_ROWS, MAX_CHUNK_ROWS)) as chunks:
        async for chunk in chunks:
            budget.add(chunk, large)
            rows += map(make, chunk)
    return rows


async def read_one(session: AsyncSession, build: Build, *arguments: Any) -> Any:
    """Read the first column of the first row; None if there is none."""
    rows = await (await prepare(session, build, *arguments)).rows()
    return rows[0][0] if rows else None


async def read_all(session: AsyncSession, statement: AnySelect) -> list[AnyRow]:
    """Read all rows of a statement that is not worth a template."""
    make = row_type(tuple(statement.selected_columns.keys()))._make
    return list(map(make, (await session.execute(statement)).all()))


def narrow(row: AnyRow, names: Sequence[str]) -> AnyRow:
    """Return a named tuple of only these columns of a row."""
    return row_type(tuple(names))._make(getattr(row, name) for name in names)


@lru_cache(maxsize=1_000)
def _large(names: tuple[str, ...]) -> list[int]:
    return [index for index, name in enumerate(names) if name in LARGE]


@lru_cache(maxsize=1_000)
def row_type(names: tuple[str, ...]) -> Any:
    """Return the class of the rows with these columns."""
    return namedtuple("Row", names)  # noqa: PYI024 - the names depend on the query
