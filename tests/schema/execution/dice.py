"""Rows that answer by dice: the same field of the same object answers the same each time."""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    Undefined,
    is_abstract_type,
)

from tests.schema.execution.rows import (
    OF_ALL,
    BoxRow,
    CatRow,
    DogRow,
    PersonRow,
    Raises,
    Row,
    StoneRow,
    StrangerRow,
)
from tests.schema.execution.small_schema import FIELD_TYPES, SCHEMA, Colour

KINDS: dict[str, type[Row]] = {
    "Cat": CatRow,
    "Dog": DogRow,
    "Person": PersonRow,
    "Stone": StoneRow,
    "Box": BoxRow,
}
NAN = float("nan")
RIGHT: dict[str, list[Any]] = {
    "ID": ["a", "b:1", ""],
    "String": ["tom", "", 'é\u2028"\\', "x" * 50],
    "Int": [0, -1, 2**31 - 1, -(2**31)],
    "Float": [0.0, -1.5, 1e300, 0.1],
    "Boolean": [True, False],
    "Hex": [0, 255],
    "Anything": ["any", 1, [1, None], {"a": [True]}, 2**40, ""],
    "Shown": [1, "one", None.__class__],
    "Colour": list(Colour),
}
# Some of these are coerced: 2.0 is an Int, 3 a Float, 5 an ID and a String.
WRONG: dict[str, list[Any]] = {
    "ID": [5, 1.5, {}, True, b"x", ["a"]],
    "String": [5, True, 1.5, [], {}, b"x", Colour.RED],
    "Int": ["7", "x", 2**31, 1.5, 2.0, True, NAN, [], 10**30, "", None.__class__],
    "Float": ["1.5", "x", NAN, float("inf"), True, 3, 10**400, [], ""],
    "Boolean": [1, 0, 0.0, 2.5, "yes", NAN, []],
    "Hex": ["text", -1, None.__class__, 1.5],
    "Anything": [False, 0],
    "Shown": [[], {}, NAN],
    "Colour": ["RED", "red", "purple", 3, 3.0, True, [], {}, {"red"}, NAN, Colour],
}


class Dice:
    """Throws dice. `trouble`: the share of answers that are not what they should be."""

    def __init__(self, seed: int, trouble: float) -> None:
        self._seed = seed
        self._trouble = trouble

    def root(self) -> Row:
        """Make the source of the root's fields."""
        return self.row(Row, "root")

    def row(self, kind: type[Row], key: str) -> Row:
        """Make an object that has this key alone."""

        def answers(field: str, arguments: Mapping[str, Any]) -> Any:
            own = "" if field.endswith(OF_ALL) else key
            place = f"{own}/{field}{sorted(arguments.items())}"
            random = Random(f"{self._seed}{place}")
            if field.endswith(OF_ALL):
                is_bad = random.random() < self._trouble / 3
                return Raises(RuntimeError(field)) if is_bad else None
            return self._answer(FIELD_TYPES[field], place, random)

        return kind(answers)

    def _answer(self, type_: Any, place: str, random: Random) -> Any:
        if random.random() < self._trouble / 4:
            return Raises(_error(place, random))
        return self._value(type_, place, random)

    def _value(self, type_: Any, place: str, random: Random) -> Any:
        inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        thrown = random.random() / self._trouble if self._trouble else 1
        if thrown < 0.25 or (inner is type_ and random.random() < 0.05):
            return random.choice([None, None, None, Undefined])
        if thrown < 0.4:
            return _error(place, random)
        is_wrong = thrown < 0.75
        if isinstance(inner, GraphQLList):
            return self._list(inner.of_type, place, random, is_wrong=is_wrong)
        if inner.name in RIGHT:
            return random.choice((WRONG if is_wrong else RIGHT)[inner.name])
        if is_wrong:
            return self._wrong_object(inner.name, place, random)
        types = SCHEMA.get_possible_types(inner) if is_abstract_type(inner) else [inner]
        return self.row(KINDS[random.choice(sorted(each.name for each in types))], place)

    def _list(self, item: Any, place: str, random: Random, *, is_wrong: bool) -> Any:
        items = [
            self._value(item, f"{place}/{index}", random) for index in range(random.randrange(4))
        ]
        if not is_wrong:
            return items
        others: list[Callable[[], Any]] = [
            lambda: 5,
            lambda: "text",
            lambda: {"a": 1},
            lambda: b"bytes",
            lambda: self.row(CatRow, place),
            lambda: tuple(items),
            lambda: iter(items),
            lambda: Broken(items),
        ]
        return random.choice(others)()

    def _wrong_object(self, name: str, place: str, random: Random) -> Any:
        rows: list[Any] = [self.row(kind, place) for kind in (StrangerRow, *KINDS.values())]
        # A Box may be anything, but its resolvers take rows.
        others = [] if name == "Box" else [5, "x", [], {}, True, object]
        return random.choice([*rows, *others])


class Broken:
    """A list that breaks behind its items."""

    def __init__(self, items: list[Any]) -> None:
        self._items = items

    def __iter__(self) -> Iterator[Any]:
        yield from self._items
        raise RuntimeError("broken")


def _error(place: str, random: Random) -> Exception:
    return random.choice(
        [
            RuntimeError(place),
            KeyError(place),
            AttributeError(place),
            GraphQLError(place, extensions={"code": "DICE"}),
        ]
    )
