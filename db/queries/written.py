"""Rows as the JSON text of a response, written by PostgreSQL.

Only members whose text is the same, byte by byte, as that which Python writes of the same row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Subquery,
    Text,
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

# Control characters, which stand nowhere else in JSON text. The first two follow each time: one
# whose second is written with six digits after the point, or with fewer.
SIX_DIGITS, FEWER_DIGITS = "\x01", "\x02"
# Stands for a time that Python does not have.
NO_TIME = "\x03"
# Larger or compressed values are read row by row, so that their memory is bounded.
MAX_JSON_BYTES = 65_536

_OFFSET = '+00:00"'
_SEPARATOR = "\x04"


@dataclass(frozen=True, slots=True)
class Leaves(Constant):
    """Keys of EVENT_LEAVES, in order."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Members:
    """The members of each object. `pieces`: the text before, between and after their values."""

    leaves: Leaves
    pieces: tuple[str, ...]


class WrittenRows(NamedTuple):
    """A list of objects as JSON text, and their number."""

    text: str
    number: int


def _time(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Write a time as `to_json` does; `_with_times` turns that into the form of responses."""
    first, last = (literal(end, Timestamp) for end in (FIRST, LAST))
    microseconds = cast(func.date_part("microseconds", column), Integer())
    ends_in_zero = microseconds % literal_column("10") == literal_column("0")
    mark = case((ends_in_zero, _control(FEWER_DIGITS)), else_=_control(SIX_DIGITS))
    is_of_python = and_(column >= first, column <= last)
    return case((is_of_python, func.concat(func.to_json(column), mark)), else_=_control(NO_TIME))


def _control(character: str) -> ColumnElement[str]:
    return literal_column(f"chr({ord(character)})")


def _status(column: ColumnElement[Any]) -> ColumnElement[Any]:
    names: list[Any] = [
        (column == literal_column(f"'{status.value}'"), literal_column(f"""'"{status.name}"'"""))
        for status in JobStatus
    ]
    return case(*names, else_=literal_column("'null'"))


# By the names of JobEvent's fields in Python.
EVENT_LEAVES: Mapping[str, Any] = {
    "id": func.concat(
        literal_column("'\"'"),
        event.job_id,
        literal_column("':'"),
        event.seq,
        literal_column("'\"'"),
    ),
    "ts": _time(event.ts),
    "prev_status": _status(event.prev_status),
    "next_status": _status(event.next_status),
    "attempt": event.attempt,
    "detail": func.coalesce(cast(event.detail, Text()), literal_column("'null'")),
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
    usable = [row for row in rows if row.written is not None and NO_TIME not in row.written]
    texts = _with_times([row.written for row in usable])
    return {
        row.job_id: WrittenRows(text, row.events)
        for row, text in zip(usable, texts, strict=bool(usable))
    }


def _written(
    org_id: UUID,
    job_ids: Sequence[UUID],
    window: Window,
    members: Members,
) -> AnySelect:
    names = members.leaves.names
    values = [EVENT_LEAVES[name] for name in names]
    first, *others = (literal(piece, Text()) for piece in members.pieces)
    parts = [first, *(part for pair in zip(values, others, strict=True) for part in pair)]
    is_large = _is_large(event.detail) if "detail" in names else literal_column("false")
    of_one = select(
        event.job_id,
        event.seq,
        func.concat(*parts).label("object"),
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


def _with_times(texts: Sequence[str]) -> list[str]:
    """Write the marked times of texts with six digits or none, and `Z`."""
    joined = _SEPARATOR.join(texts).replace(f"{_OFFSET}{SIX_DIGITS}", 'Z"')
    # Each part but the last ends with a time.
    *before, last = joined.split(f"{_OFFSET}{FEWER_DIGITS}")
    return 'Z"'.join([*map(_with_six_digits, before), last]).split(_SEPARATOR)


def _with_six_digits(text: str) -> str:
    """Fill up the fraction of the second that a text ends with, if it has one."""
    point = text.rfind(".", -7)
    return text if point < 0 else f"{text}{'0' * (7 + point - len(text))}"
