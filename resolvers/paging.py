"""Pages of any list: the arguments of a Relay connection, and what the connection answers."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from db.queries.keyset import KeysetOrder, Window
from db.snapshots import Snapshot
from resolvers import cursors
from resolvers.counting import Count
from resolvers.errors import BadUserInputError
from resolvers.limits import RequestLimits

# How many items of a list without pages come where a query does not say how many.
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
    """What a query wants of a connection: what it does not want costs nothing.

    `rows`: nodes, edges or a cursor; `cursors`: cursors; `more_after`: `hasNextPage`;
    `more_before`: `hasPreviousPage`.
    """

    rows: bool
    cursors: bool
    more_after: bool
    more_before: bool


@dataclass(slots=True)
class ConnectionSource:
    """One page of a list. `rows` are in the list's order; `more` is None where nobody asked.

    `count` and `behind` ask the database when called: `behind` whether the window leaves rows
    behind it, against the direction of travel.
    """

    window: Window
    rows: Sequence[Any]
    more: bool | None
    count: Callable[[int | None], Awaitable[Count]]
    behind: Callable[[], Awaitable[bool]]

    def cursor(self, row: Any) -> str:
        """Write the row's place in this list; an event's has the snapshot that it was read in."""
        snapshot = getattr(row, "snapshot", None)
        mark = None if snapshot is None else cursors.Mark(Snapshot.of(snapshot))
        return cursors.encode(self.window.order, row, mark)

    async def has_next_page(self) -> bool:
        """Tell whether rows follow this page in the list's order."""
        return await self._goes_on(backward=False)

    async def has_previous_page(self) -> bool:
        """Tell whether rows precede this page in the list's order."""
        return await self._goes_on(backward=True)

    async def _goes_on(self, *, backward: bool) -> bool:
        if self.window.backward == backward:
            assert self.more is not None
            return self.more
        return self.window.after is not None and await self.behind()


def window(order: KeysetOrder, arguments: PageArguments, limits: RequestLimits) -> Window:
    """Turn a connection's arguments into a window of the order.

    Raises BadUserInputError for sizes out of bounds and for arguments of both directions,
    InvalidCursorError for a cursor that is not of this order. An empty cursor is none: the page
    begins where the list does, or ends where it ends.
    """
    forward = arguments.first is not None or bool(arguments.after)
    backward = arguments.last is not None or bool(arguments.before)
    if forward and backward:
        raise BadUserInputError(
            "Use 'first' with 'after', or 'last' with 'before', but not one of each."
        )
    size, name = (arguments.last, "last") if backward else (arguments.first, "first")
    cursor, side = (arguments.before, "before") if backward else (arguments.after, "after")
    place = cursors.decode(order, cursor, side) if cursor else None
    return Window(order, page_size(size, name, limits), place, backward)


def page_size(size: int | None, argument: str, limits: RequestLimits) -> int:
    """Check how many rows an argument asks for; None asks for the default."""
    if size is None:
        return limits.page_size_default
    if not 0 <= size <= limits.page_size_max:
        raise BadUserInputError(f"'{argument}' must be between 0 and {limits.page_size_max}.")
    return size


def list_size(size: int | None, argument: str, limits: RequestLimits) -> int:
    """Check how many items of a list without pages an argument asks for.

    LIST_SIZE, the schema's default, gives way where pages may not be as large.
    """
    if size == LIST_SIZE:
        return min(size, limits.page_size_max)
    return page_size(size, argument, limits)


async def read_page(
    page: Window, needs: PageNeeds, read: Callable[[Window], Awaitable[Sequence[Any]]]
) -> tuple[Sequence[Any], bool | None]:
    """Read the page in the list's order; tell whether more rows follow if that is needed."""
    if not needs.rows and not looks_ahead(page, needs):
        return (), None
    return cut(page, await read(widened(page, needs)), needs)


def looks_ahead(page: Window, needs: PageNeeds) -> bool:
    """Tell whether it is asked if the list goes on in the direction of travel."""
    return needs.more_before if page.backward else needs.more_after


def widened(page: Window, needs: PageNeeds) -> Window:
    """Get the window to read: one row further than the page where the list's going on is asked."""
    return replace(page, limit=page.limit + 1) if looks_ahead(page, needs) else page


def cut(page: Window, rows: Sequence[Any], needs: PageNeeds) -> tuple[Sequence[Any], bool | None]:
    """Cut rows read in the direction of travel to the page in the list's order; see read_page."""
    more = len(rows) > page.limit if looks_ahead(page, needs) else None
    kept = rows[: page.limit]
    return (kept[::-1] if page.backward else kept), more
