"""Statements that SQLAlchemy builds and compiles once for each shape.

A statement is described by a function that builds it and the function's arguments. The values among
these become parameters; the rest is the statement's shape, by which it is cached. So nothing that a
client can vary freely is part of a key.

Values: text, numbers, times, UUIDs, JSON objects, and lists of them, which are one array parameter.
Shape: None, booleans, enum members, frozensets, any other object, and a list of enum members, whose
order does not matter. Items of tuples and of lists of dataclasses, and fields of dataclasses, are
either.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ClauseElement, Dialect
from sqlalchemy.sql.compiler import SQLCompiler

from db.cache_figures import CacheCounts, CacheFigures

# The statements that a process keeps. A longer one is compiled each time.
MAX_TEMPLATES = 500
MAX_TEMPLATE_CHARACTERS = 10_000

Build = Callable[..., ClauseElement]

_VALUE_TYPES = (str, int, float, datetime, timedelta, UUID, dict)


class _Kind(Enum):
    VALUE = "value"
    SHAPE = "shape"


# Members of an enum are slow to get.
_VALUE, _SHAPE = _Kind.VALUE, _Kind.SHAPE


class Constant:
    """A base of dataclasses whose instances are constants of the program: they are shape."""

    __slots__ = ()


class Slot:
    """Stands for a value while a statement is built."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index


class Argument(NamedTuple):
    """A parameter of a template: the value of a slot, processed for the driver, or a constant."""

    slot: int | None
    constant: Any
    process: Callable[[Any], Any] | None


class Template:
    """A compiled statement, and the names of its columns."""

    __slots__ = ("_arguments", "names", "sql")

    def __init__(self, compiled: SQLCompiler, dialect: Dialect) -> None:
        self.sql = str(compiled)
        # SQLAlchemy has no public name for the columns of a RETURNING clause.
        self.names = tuple(column.keyname for column in compiled._result_columns)  # noqa: SLF001
        self._arguments = tuple(_arguments(compiled, dialect))

    def parameters(self, values: Sequence[Any]) -> list[Any]:
        """Return the statement's parameters for the driver."""
        return [
            constant if slot is None else process(values[slot]) if process else values[slot]
            for slot, constant, process in self._arguments
        ]


class Templates:
    """The most recently used templates."""

    def __init__(self) -> None:
        self._templates: OrderedDict[Hashable, Template] = OrderedDict()
        self._counts = CacheCounts()

    def __len__(self) -> int:
        return len(self._templates)

    @property
    def figures(self) -> CacheFigures:
        """How many there are, and how often one was found."""
        return self._counts.figures(len(self))

    def get(
        self, dialect: Dialect, build: Build, arguments: Sequence[Any]
    ) -> tuple[Template, list[Any]]:
        """Return the template of a statement and the values of its slots."""
        values: list[Any] = []
        key = (dialect, build, *[_shape(each, values) for each in arguments])
        template = self._templates.get(key)
        if template is not None:
            self._templates.move_to_end(key)
            self._counts.hits += 1
            return template, values
        self._counts.misses += 1
        template = _compile(dialect, build, arguments)
        if len(template.sql) <= MAX_TEMPLATE_CHARACTERS:
            self._templates[key] = template
            if len(self._templates) > MAX_TEMPLATES:
                self._templates.popitem(last=False)
        return template, values


def _compile(dialect: Dialect, build: Build, arguments: Sequence[Any]) -> Template:
    slots: list[Slot] = []
    statement = build(*[_with_slots(each, slots) for each in arguments])
    options = {"render_postcompile": True}
    compiled = statement.compile(dialect=dialect, compile_kwargs=options)
    assert isinstance(compiled, SQLCompiler)
    return Template(compiled, dialect)


def _arguments(compiled: SQLCompiler, dialect: Dialect) -> Iterator[Argument]:
    parameters = compiled.construct_params()
    for name in compiled.positiontup or ():
        value = parameters[name]
        process = compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
        if isinstance(value, Slot):
            yield Argument(value.index, None, process)
        else:
            yield Argument(None, process(value) if process else value, None)


def _shape(value: Any, values: list[Any]) -> Any:
    """Return the shape of an argument, and append its values."""
    kind = value.__class__
    how = _ways.get(kind) or _learn(kind)
    if how is _SHAPE:
        return value
    if how is _VALUE:
        values.append(value)
        return _VALUE
    parts = how(value)
    if parts is _VALUE:
        values.append(value)
        return _VALUE
    if parts is _SHAPE:
        return frozenset(value)
    return (kind, *[_shape(each, values) for each in parts])


def _with_slots(value: Any, slots: list[Slot]) -> Any:
    """Return the argument with slots for its values, in the order in which `_shape` finds them."""
    parts = _parts(value)
    if parts is _VALUE:
        slots.append(Slot(len(slots)))
        return slots[-1]
    if parts is _SHAPE:
        return value
    replaced = [_with_slots(each, slots) for each in parts]
    return type(value)(replaced) if isinstance(value, list | tuple) else type(value)(*replaced)


def _parts(value: Any) -> Any:
    """Return the parts to search for values; or _VALUE or _SHAPE: not to be searched."""
    how = _ways.get(value.__class__) or _learn(value.__class__)
    return how if isinstance(how, _Kind) else how(value)


def _learn(kind: type[Any]) -> Any:
    """Return what arguments of a class are, or the function that returns their parts."""
    way = _ways[kind] = _way(kind)
    return way


def _way(kind: type[Any]) -> Any:
    if kind is list:
        return _list_parts
    if issubclass(kind, bool | Enum):
        return _SHAPE
    if issubclass(kind, tuple):
        return iter
    if issubclass(kind, _VALUE_TYPES):
        return _VALUE
    if is_dataclass(kind) and not issubclass(kind, Constant):
        names = [field.name for field in fields(kind)]
        return attrgetter(*names) if len(names) > 1 else lambda value: (getattr(value, names[0]),)
    return _SHAPE


def _list_parts(value: list[Any]) -> Any:
    if value and isinstance(value[0], Enum):
        return _SHAPE
    return _VALUE if value and not is_dataclass(value[0]) else value


# By class: a _Kind, or a function as `_parts`.
_ways: dict[type[Any], Any] = {}
