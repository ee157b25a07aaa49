"""Rows as named tuples: a response reads thousands of their attributes, SQLAlchemy's are slow.

What may be large in them is counted as it arrives, so that it does not fill the memory.
"""

from collections import namedtuple
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import orjson
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

# A named tuple of the columns that were asked for: which ones only its query knows.
AnyRow: TypeAlias = Any
AnySelect = Select[*tuple[Any, ...]]

# Columns of which one value may have thousands of bytes; all others have hundreds at most.
LARGE = frozenset(
    {"payload", "result", "detail", "last_error_message", "error_code", "error_message"}
)
# Rows that have them are read so many at a time, then twice as many, up to the last number: a
# cursor takes time, so fewer come without one.
ROWS_AT_ONCE, MOST_ROWS_AT_ONCE = 100, 400


class TooManyBytesReadError(Exception):
    """The rows are larger than may be read for one answer."""


class Reading:
    """How many bytes were read of what may be large, for one answer, which may have so many."""

    KEY = "joblens_reading"

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0

    def add(self, rows: Iterable[Sequence[Any]], large: Sequence[int]) -> None:
        """Count the large columns of these rows. Raises TooManyBytesReadError."""
        self._bytes += sum(_size(row[place]) for row in rows for place in large)
        if self._bytes > self._max_bytes:
            raise TooManyBytesReadError


async def read_all(
    session: AsyncSession, statement: AnySelect, most_rows: int | None = None
) -> list[AnyRow]:
    """Run the statement and read all its rows: at most `most_rows`, where that is known.

    In a session that has a Reading, raises TooManyBytesReadError before there are many more than it
    allows.
    """
    names = tuple(statement.selected_columns.keys())
    make = _row_type(names)._make
    large = [place for place, name in enumerate(names) if name in LARGE]
    reading: Reading | None = session.info.get(Reading.KEY) if large else None
    if reading is None or (most_rows is not None and most_rows <= ROWS_AT_ONCE):
        found = list(map(make, (await session.execute(statement)).all()))
        if reading is not None:
            reading.add(found, large)
        return found
    rows: list[AnyRow] = []
    result = await session.stream(statement)
    try:
        at_once = ROWS_AT_ONCE
        while some := await result.fetchmany(at_once):
            reading.add(some, large)
            rows += map(make, some)
            at_once = min(2 * at_once, MOST_ROWS_AT_ONCE)
    finally:
        await result.close()
    return rows


def narrow(row: AnyRow, names: Sequence[str]) -> AnyRow:
    """Make a named tuple of these columns of a row that may have others too."""
    return _row_type(tuple(names))._make(getattr(row, name) for name in names)


def _size(value: Any) -> int:
    if isinstance(value, orjson.Fragment):
        return len(orjson.dumps(value))
    return len(value) if isinstance(value, str) else 0


@lru_cache(maxsize=1_000)
def _row_type(names: tuple[str, ...]) -> Any:
    return namedtuple("Row", names)  # noqa: PYI024 - the names come with the query
