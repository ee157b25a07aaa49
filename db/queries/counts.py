"""Counting and probing: statements that stop as soon as the answer is known."""

from sqlalchemy import Select, Table, func, literal_column, select

from db.queries.filters import Condition
from db.queries.keyset import AnySelect, Window, seek_behind


def count(table: Table, conditions: Condition, at_most: int | None) -> Select[int]:
    """Count the rows that meet the conditions; stop after `at_most` + 1 where that is given."""
    if at_most is None:
        return select(func.count()).select_from(table).where(conditions)
    return select(func.count()).select_from(
        probe(table, conditions).limit(at_most + 1).subquery("matches")
    )


def exists_behind(table: Table, conditions: Condition, window: Window) -> AnySelect:
    """Find one row that meets the conditions and that the window leaves behind it."""
    return seek_behind(probe(table, conditions), window).limit(1)


def probe(table: Table, conditions: Condition) -> AnySelect:
    """Find the rows that meet the conditions, reading none of their columns."""
    return select(literal_column("1").label("found")).select_from(table).where(conditions)
