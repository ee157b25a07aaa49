"""Objects of the small schema, made with what their fields answer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Answers = Callable[[str, Mapping[str, Any]], Any]


class Raises:
    """An answer that is raised, not returned."""

    def __init__(self, error: Exception) -> None:
        self.error = error


class Row:
    """The source of an object. `answers`: what a field with its arguments answers."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def give(self, field: str, **arguments: Any) -> Any:
        """Answer a field."""
        answer = self._answers(field, arguments)
        if isinstance(answer, Raises):
            raise answer.error
        return answer

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.give(name)


class CatRow(Row):
    pass


class DogRow(Row):
    pass


class PersonRow(Row):
    pass


class StoneRow(Row):
    pass


class BoxRow(Row):
    pass


class StrangerRow(Row):
    """Of no type of the schema."""


# What a level function asks its first parent: whether it fails as a whole.
OF_ALL = " of all"


def give_all(parents: Sequence[Row], field: str, **arguments: Any) -> list[Any]:
    """Answer a field of all parents; an error is the answer of its parent alone."""
    if parents:
        parents[0].give(field + OF_ALL)
    return [_answer(parent, field, arguments) for parent in parents]


def _answer(parent: Row, field: str, arguments: Mapping[str, Any]) -> Any:
    try:
        return parent.give(field, **arguments)
    except Exception as error:  # noqa: BLE001 - is the parent's
        return error


def row(kind: type[Row], values: Mapping[str, Any]) -> Row:
    """Make a row of these values; one that is a function gets the arguments. Others are null."""

    def answers(field: str, arguments: Mapping[str, Any]) -> Any:
        value = values.get(field)
        return value(**arguments) if callable(value) else value

    return kind(answers)


def cat(**values: Any) -> Row:
    return row(CatRow, {"id": "cat", "heft": 4.0, "sound": "meow"} | values)


def dog(**values: Any) -> Row:
    return row(DogRow, {"id": "dog", "heft": 9.0, "sound": "bark"} | values)


def person(**values: Any) -> Row:
    return row(PersonRow, {"id": "person", "heft": 70.0} | values)


def stone(**values: Any) -> Row:
    return row(StoneRow, {"heft": 1.5} | values)


def box(**values: Any) -> Row:
    return row(BoxRow, {"label": "box"} | values)
