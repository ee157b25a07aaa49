"""The key of an event's detail that says how the event was made of a fact of a source.

It is left out where the fact had the event's time, which is exact, and its attempt.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, literal_column, or_
from sqlalchemy.dialects.postgresql import JSONB

MARK = "joblens"


def is_exact(detail: Any) -> bool:
    """Return whether the time of the event with this detail is exact, not the nearest known."""
    mark = detail.get(MARK) if isinstance(detail, Mapping) else None
    if not isinstance(mark, Mapping):
        return True
    return mark.get("exact", True) is True and not mark.get("inferred")


def is_inexact(detail: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return whether the time of an event of a source's job is not exact, by its detail, in SQL."""
    is_inferred = _mark(detail).op("->>")(literal_column("'inferred'")) == literal_column("'true'")
    return or_(is_near(detail), is_inferred).is_(True)


def is_near(detail: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return whether a fact reported the time of an event as the nearest known, in SQL; or null."""
    return _mark(detail).op("->>")(literal_column("'exact'")) == literal_column("'false'")


def _mark(detail: ColumnElement[Any]) -> ColumnElement[Any]:
    return detail.op("->", return_type=JSONB())(literal_column(f"'{MARK}'"))
