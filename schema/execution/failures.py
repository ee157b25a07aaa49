"""Where values of a level are in the response, and the errors that null parts of it.

An error nulls the innermost nullable position around it. Of all errors in a nulled region only one
is reported: the first, in the order of the response, of those that nulled it. So says the
specification in "Handling Execution Errors".
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from graphql import GraphQLError

Segment = str | int


class Place(NamedTuple):
    """A position in the response: its path, and its rank in the order of the response."""

    path: tuple[Segment, ...]
    rank: tuple[int, ...]

    def below(self, name: str, ordinal: int) -> "Place":
        """Return the place of a field of the object at this place."""
        return Place((*self.path, name), (*self.rank, ordinal))


class Batch(Protocol):
    """Where the values of one batch are, by their index, in relation to their parent batch."""

    def place(self, index: int) -> Place:
        """Return the place of a value."""


class Root:
    """The root of the response alone."""

    def place(self, _index: int) -> Place:
        """Return the place of the root."""
        return Place((), ())


class Fields:
    """The values of one field of all objects of a batch."""

    __slots__ = ("_name", "_ordinal", "_parent")

    def __init__(self, parent: Batch, name: str, ordinal: int) -> None:
        self._parent, self._name, self._ordinal = parent, name, ordinal

    def place(self, index: int) -> Place:
        """Return the place of the field of an object."""
        return self._parent.place(index).below(self._name, self._ordinal)


class Items:
    """The items of all lists of a batch. `starts`: the index of each list's first item."""

    __slots__ = ("_parent", "_starts")

    def __init__(self, parent: Batch, starts: Sequence[int]) -> None:
        self._parent, self._starts = parent, starts

    def place(self, index: int) -> Place:
        """Return the place of an item."""
        # Of lists that start at the same index, all but the last are empty.
        owner = bisect_right(self._starts, index) - 1
        position = index - self._starts[owner]
        path, rank = self._parent.place(owner)
        return Place((*path, position), (*rank, position))


class Some:
    """Some values of a batch, by their indexes in it."""

    __slots__ = ("_indexes", "_parent")

    def __init__(self, parent: Batch, indexes: Sequence[int]) -> None:
        self._parent, self._indexes = parent, indexes

    def place(self, index: int) -> Place:
        """Return the place of one of these values."""
        return self._parent.place(self._indexes[index])


class Failure:
    """An error, in the place of the values that it nulls on its way up.

    `nulled`: the path of the nullable position that it has nulled; None before that.
    """

    __slots__ = ("error", "nulled", "rank")

    def __init__(self, error: GraphQLError, rank: tuple[int, ...]) -> None:
        self.error = error
        self.rank = rank
        self.nulled: tuple[Segment, ...] | None = None


def reported(failures: Iterable[Failure]) -> list[GraphQLError]:
    """Select the errors to report, in the order of the response."""
    in_order = sorted(failures, key=lambda failure: failure.rank)
    effective = [failure for failure in in_order if failure.nulled is not None]
    regions = {failure.nulled for failure in effective}
    errors, seen = [], set()
    for failure in effective:
        nulled = failure.nulled
        assert nulled is not None
        if nulled in seen or any(nulled[:length] in regions for length in range(len(nulled))):
            continue
        seen.add(nulled)
        errors.append(failure.error)
    return errors
