"""Keyset pages: the arguments of a Relay connection, and the source of its fields."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from db.queries.keyset import KeysetOrder, Window
from db.snapshots import Snapshot
from resolvers import cursors
from resolvers.counting import Count
from resolvers.errors import BadUserInputError
from resolvers.limits import RequestLimits

# The default size of a list without pages.
LIST_SIZE = 50


@dataclass(frozen=True, slots=True)
class PageArguments:
    """A connection's arguments, as Relay's cursor specification names them."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class PageNeeds:
    """The parts of a connection that a query selects; others are not read.

    `rows`: nodes, edges or a cursor; `cursors`: cursors; `more_after`: `hasNextPage`;
    `more_before`: `hasPreviousPage`.
    """

    rows: bool
    cursors: bool
    more_after: bool
    more_before: bool


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """The lists that the connections of a level are pages of, each with a key.

    `window`: of all pages. `count` and `behind` query the database, for the lists with these keys:
    the size of each whole list, and whether rows precede the window in the direction of paging.
    """

    window: Window
    count: Callable[[Sequence[Any], int | None], Awaitable[Sequence[Count]]]
    behind: Callable[[Sequence[Any]], Awaitable[Sequence[bool]]]


@dataclass(slots=True, eq=False)
class ConnectionSource:
    """One page of a list, with its `rows` in the order of the list.

    `more`: whether rows follow in the direction of paging; None if this is not selected.
    """

    lists: Lists
    key: Any
    rows: Sequence[Any]
    more: bool | None

    def cursor(self, row: Any) -> str:
        """Encode the position of a row; that of an event has the snapshot it was read in."""
        snapshot = getattr(row, "snapshot", None)
        mark = None if snapshot is None else cursors.Mark(Snapshot.of(snapshot))
        return cursors.encode(self.lists.window.order, row, mark)


Level = Sequence[ConnectionSource]


async def has_more(level: Level, *, backward: bool) -> Sequence[bool]:
    """Return whether rows follow the pages of a level in the order of their lists.

    `backward`: whether rows precede them.
    """
    lists = level[0].lists
    if lists.window.backward == backward:
        return [bool(page.more) for page in level]
    if lists.window.after is None:
        return [False] * len(level)
    return await lists.behind([page.key for page in level])


async def count_lists(level: Level, at_most: int | None) -> Sequence[Count]:
    """Count the lists of a level, each up to `at_most`. Raises BadUserInputError."""
    return await level[0].lists.count([page.key for page in level], at_most)


def window(order: KeysetOrder, arguments: PageArguments, limits: RequestLimits) -> Window:
    """Convert the arguments of a connection to a window of `order`.

    An empty cursor is ignored. Raises BadUserInputError for sizes out of bounds and for arguments
    of both directions, InvalidCursorError for a cursor of another order.
    """
    forward = arguments.first is not None or bool(arguments.after)
    backward = arguments.last is not None or bool(arguments.before)
    if forward and backward:
        raise BadUserInputError(
            "Use either 'first' with 'after' or 'last' with 'before', not both."
        )
    size, name = (arguments.last, "last") if backward else (arguments.first, "first")
    cursor, side = (arguments.before, "before") if backward else (arguments.after, "after")
    position = cursors.decode(order, cursor, side) if cursor else None
    return Window(order, page_size(size, name, limits), position, backward)


def page_size(size: int | None, argument: str, limits: RequestLimits) -> int:
    """Return the page size of an argument, the default for None. Raises BadUserInputError."""
    if size is None:
        return limits.page_size_default
    if not 0 <= size <= limits.page_size_max:
        raise BadUserInputError(f"'{argument}' must be between 0 and {limits.page_size_max}.")
    return size


def list_size(size: int | None, argument: str, limits: RequestLimits) -> int:
    """Return the size of a list without pages. Raises BadUserInputError.

    The schema's default, LIST_SIZE, is reduced if pages must be smaller.
    """
    if size == LIST_SIZE:
        return min(size, limits.page_size_max)
    return page_size(size, argument, limits)


async def read_page(
    page: Window, needs: PageNeeds, read: Callable[[Window], Awaitable[Sequence[Any]]]
) -> tuple[Sequence[Any], bool | None]:
    """Read a page; return its rows in the order of the list, and `more` of ConnectionSource.

    `read` gets the window to read, and returns its rows in the direction of paging.
    """
    if not needs.rows and not looks_ahead(page, needs):
        return (), None
    return cut(page, await read(widened(page, needs)), needs)


def looks_ahead(page: Window, needs: PageNeeds) -> bool:
    """Return whether the query selects if rows follow in the direction of paging."""
    return needs.more_before if page.backward else needs.more_after


def widened(page: Window, needs: PageNeeds) -> Window:
    """Return the window to read: one row more than the page if the page looks ahead."""
    return replace(page, limit=page.limit + 1) if looks_ahead(page, needs) else page


def cut(page: Window, rows: Sequence[Any], needs: PageNeeds) -> tuple[Sequence[Any], bool | None]:
    """Cut rows in the direction of paging to the page; return the same as read_page."""
    more = len(rows) > page.limit if looks_ahead(page, needs) else None
    kept = rows[: page.limit]
    return (kept[::-1] if page.backward else kept), more
