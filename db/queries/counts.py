"""Statements that count rows or check that one exists, and stop as soon as possible."""

from sqlalchemy import Table, func, literal_column, select

from db.queries.filters import Condition
from db.queries.keyset import KeysetOrder, Window, page, seek_behind
from db.queries.rows import AnySelect


def count(table: Table, conditions: Condition, most: int | None, order: KeysetOrder) -> AnySelect:
    """Count the rows that meet the conditions, but no more than `most`.

    With `most` it reads as much as a page of that size in this order. Without an order
    PostgreSQL assumes evenly spread matches, and may scan the whole table.
    """
    if most is None:
        return select(func.count()).select_from(table).where(conditions)
    matches = page(probe(table, conditions), Window(order, most))
    return select(func.count()).select_from(matches.subquery("matches"))


def exists_behind(table: Table, conditions: Condition, window: Window) -> AnySelect:
    """Select one row that meets the conditions and is behind the window."""
    return seek_behind(probe(table, conditions), window).limit(1)


def probe(table: Table, conditions: Condition) -> AnySelect:
    """Select the rows that meet the conditions, without reading their columns."""
    return select(literal_column("1").label("one")).select_from(table).where(conditions)
