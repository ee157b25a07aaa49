"""Rows as the JSON text of a response, written by PostgreSQL.

Only members whose text is the same, byte by byte, as that which Python writes of the same row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Subquery,
    Text,
    Time,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.events import of_job, wanted_jobs
from db.queries.filters import event
from db.queries.keyset import Window, page
from db.queries.rows import AnySelect, read
from db.statuses import JobStatus
from db.tables import Timestamp
from db.templates import Constant
from db.times import FIRST, LAST

# Stands for a time that Python does not have: a control character, which is not in JSON text.
NO_TIME = "\x01"
# The characters of a time of day that has six digits after the second's point.
_MICROSECONDS = 15
# Larger or compressed values are read row by row, so that their memory is bounded.
MAX_JSON_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Leaves(Constant):
    """Keys of EVENT_LEAVES, in order."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Members:
    """The members of each object. `pieces`: the text before, between and after their values.

    What the leaves have around their values is part of it.
    """

    leaves: Leaves
    pieces: tuple[str, ...]


class WrittenRows(NamedTuple):
    """A list of objects as JSON text, and their number."""

    text: str
    number: int


class WrittenLeaf(NamedTuple):
    """How a leaf is written: an expression that is text and never null, and what is around it."""

    value: ColumnElement[str]
    before: str = ""
    after: str = ""


def _time(column: ColumnElement[Any]) -> ColumnElement[str]:
    """Write a time as responses have it, but for the zone: with six digits of the second or none.

    The zone of the connection is UTC. Of the ways to write it this took the least time: casts of
    whole times need a function of characters to cut them, and to_char() reads its format.
    """
    first, last = (literal(end, Timestamp) for end in (FIRST, LAST))
    # Such as 09:30:00.25, without the digits at the end that are zero.
    time_of_day = cast(cast(column, Time()), Text())
    microseconds = cast(func.date_part(literal_column("'microseconds'"), column), Integer())
    is_complete = or_(
        microseconds % _number(10) > _number(0), microseconds % _number(1_000_000) == _number(0)
    )
    padded = func.rpad(time_of_day, _number(_MICROSECONDS), literal_column("'0'"))
    written = (
        cast(cast(column, Date()), Text())
        + literal_column("'T'", Text())
        + case((is_complete, time_of_day), else_=padded)
    )
    is_of_python = and_(column >= first, column <= last)
    return case((is_of_python, written), else_=literal_column(f"chr({ord(NO_TIME)})", Text()))


def _number(value: int) -> ColumnElement[int]:
    return literal_column(str(value))


def _status(column: ColumnElement[Any]) -> ColumnElement[str]:
    names: list[Any] = [
        (
            column == literal_column(f"'{status.value}'"),
            literal_column(f"""'"{status.name}"'""", Text()),
        )
        for status in JobStatus
    ]
    return case(*names, else_=literal_column("'null'", Text()))


# By the names of JobEvent's fields in Python; `__typename` has none.
EVENT_LEAVES: Mapping[str, WrittenLeaf] = {
    "__typename": WrittenLeaf(literal_column("'JobEvent'", Text()), '"', '"'),
    "id": WrittenLeaf(
        cast(event.job_id, Text()) + literal_column("':'", Text()) + cast(event.seq, Text()),
        '"',
        '"',
    ),
    "ts": WrittenLeaf(_time(event.ts), '"', 'Z"'),
    "prev_status": WrittenLeaf(_status(event.prev_status)),
    "next_status": WrittenLeaf(_status(event.next_status)),
    "attempt": WrittenLeaf(cast(event.attempt, Text())),
    "detail": WrittenLeaf(
        func.coalesce(cast(event.detail, Text()), literal_column("'null'", Text()))
    ),
}


async def write_events_by_job(
    session: AsyncSession,
    org_id: UUID,
    job_ids: Sequence[UUID],
    window: Window,
    members: Members,
) -> dict[UUID, WrittenRows]:
    """Write the window's events of each job, in the order of their numbers.

    Jobs whose events must be read row by row are omitted: those with times that Python does not
    have, or with large JSON. Reads what `load_events_by_job` reads.
    """
    ids = list(job_ids)
    rows = await read(session, _written, org_id, ids, window, members, most_rows=len(ids))
    return {
        row.job_id: WrittenRows(row.written, row.events)
        for row in rows
        if row.written is not None and NO_TIME not in row.written
    }


def _written(
    org_id: UUID,
    job_ids: Sequence[UUID],
    window: Window,
    members: Members,
) -> AnySelect:
    names = members.leaves.names
    values = [EVENT_LEAVES[name].value for name in names]
    first, *others = (literal(piece, Text()) for piece in members.pieces)
    parts = [first, *(part for pair in zip(values, others, strict=True) for part in pair)]
    is_large = _is_large(event.detail) if "detail" in names else literal_column("false")
    of_one = select(
        event.job_id,
        event.seq,
        reduce(add, parts).label("object"),
        is_large.label("is_large"),
    )
    jobs = wanted_jobs(job_ids)
    of_one = of_one.where(of_job(org_id, jobs)).correlate(jobs)
    objects = page(of_one, window).subquery("objects")
    written = (
        select(
            case((func.bool_or(objects.c.is_large), None), else_=_list(objects)).label("written"),
            func.count().label("events"),
        )
        .select_from(objects)
        .lateral("written")
    )
    joined = jobs.join(written, true())
    return select(jobs.c.id.label("job_id"), written).select_from(joined)


def _list(objects: Subquery) -> ColumnElement[str]:
    in_order: Any = aggregate_order_by(literal_column("','"), objects.c.seq)
    return func.concat("[", func.string_agg(objects.c.object, in_order), "]")


def _is_large(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return whether a value may take much memory; a compressed one may."""
    return func.coalesce(
        or_(
            func.pg_column_size(column) > MAX_JSON_BYTES,
            func.pg_column_compression(column).is_not(None),
        ),
        literal_column("false"),
    )
