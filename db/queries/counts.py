"""Counting and probing: statements that stop as soon as the answer is known."""

from sqlalchemy import Select, Table, func, literal_column, select

from db.queries.filters import Condition
from db.queries.keyset import KeysetOrder, Window, page, seek_behind
from db.queries.rows import AnySelect


def count(
    table: Table, conditions: Condition, at_most: int | None, order: KeysetOrder
) -> Select[int]:
    """Count the rows that meet the conditions; stop after `at_most` + 1 where that is given.

    Such a count reads what the page of that size in this order does. Without an order PostgreSQL
    expects matches everywhere, and may read the whole table for those that lie at its end.
    """
    if at_most is None:
        return select(func.count()).select_from(table).where(conditions)
    matches = page(probe(table, conditions), Window(order, at_most + 1))
    return select(func.count()).select_from(matches.subquery("matches"))


def exists_behind(table: Table, conditions: Condition, window: Window) -> AnySelect:
    """Find one row that meets the conditions and that the window leaves behind it."""
    return seek_behind(probe(table, conditions), window).limit(1)


def probe(table: Table, conditions: Condition) -> AnySelect:
    """Find the rows that meet the conditions, reading none of their columns."""
    return select(literal_column("1").label("found")).select_from(table).where(conditions)
