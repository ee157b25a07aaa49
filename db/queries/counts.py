"""Statements that count rows or check that one exists, and stop as soon as possible."""

from sqlalchemy import Table, func, literal_column, select

from db.queries.alternatives import Cut, Ranges
from db.queries.filters import Condition
from db.queries.keyset import KeysetOrder, Window, page, seek_behind
from db.queries.rows import AnySelect


def count_all(table: Table, conditions: Condition) -> AnySelect:
    """Count the rows that meet the conditions."""
    return select(func.count()).select_from(table).where(conditions)


def up_to(most: int, order: KeysetOrder) -> Cut:
    """Return what cuts `most` rows in this order.

    Without an order PostgreSQL assumes evenly spread matches, and may scan the whole table.
    """
    return lambda statement: page(statement, Window(order, most))


def count_first(ranges: Ranges, most: int) -> AnySelect:
    """Count the rows of ranges, but no more than `most`."""
    return select(func.count()).select_from(ranges.first(most).subquery("matches"))


def behind(window: Window) -> Cut:
    """Return what cuts one row behind the window."""
    return lambda statement: seek_behind(statement, window).limit(1)


def probe(table: Table) -> AnySelect:
    """Select rows without reading their columns."""
    return select(literal_column("1").label("one")).select_from(table)
