"""Projections: generated functions that answer the leaves of all objects of a level.

A leaf is a scalar or enum that is there at once: an attribute of its object, or what a function
computes of it. The source text has only names that were validated, as literals.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graphql import FieldNode, GraphQLEnumType, GraphQLLeafType, GraphQLScalarType, Undefined
from graphql.execution.executor import Executor
from strawberry.types.scalar import identity

from db.limits import MAX_NAME_LENGTH
from db.queries.rows import NAMES
from resolvers.response_size import ResponseSize

# (sources, info, size) -> an object for each source, with None for fields that are not leaves.
Project = Callable[[Sequence[Any], Any, ResponseSize], list[dict[str, Any]]]

# Whether a value of a built-in scalar goes out as it is; others are serialized by graphql-core.
_AS_IT_IS = {
    "String": "{v}.__class__ is str",
    "ID": "{v}.__class__ is str",
    "Int": f"{{v}}.__class__ is int and {-(2**31)} <= {{v}} < {2**31}",
    # NaN and infinity differ from themselves.
    "Float": "{v}.__class__ is float and {v} - {v} == 0.0",
    "Boolean": "({v} is True or {v} is False)",
}
# The class that nearly all values of a custom scalar have, to look more closely at others only.
_USUAL_CLASSES = {"DateTime": datetime, "JSON": str}
# Of texts that are short, it is enough that all would fit.
_SHORT = """\
    if not size.fits({most} * len(results)):
        size.bytes += count_short(sources, {short!r})
"""
# Those whose bytes are counted: as text before, or after it is serialized.
_TEXTS_IN_ROWS, _TEXTS = {"JSON"}, {"String", "ID"}


class NullError(TypeError):
    """A field whose type is non-null has no value."""


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A field of a projection: an attribute of its object, or a function of it.

    The function gets the object as `self`, once more as its parent if `takes_parent`, and the info
    by the name `takes_info`.
    """

    name: str
    ordinal: int
    type: GraphQLLeafType
    nullable: bool
    nodes: list[FieldNode]
    label: str
    attribute: str | None = None
    function: Callable[..., Any] = identity
    takes_parent: bool = False
    takes_info: str | None = None

    def value(self, source: Any, info: Any) -> Any:
        """Answer the field of one object. Raises NullError, and whatever its function raises."""
        if self.attribute is not None:
            value = getattr(source, self.attribute)
        else:
            parents = [source] * (1 + self.takes_parent)
            given = {self.takes_info: info} if self.takes_info else {}
            value = self.function(*parents, **given)
        if isinstance(value, Exception):
            raise value
        if value is None or value is Undefined:
            if self.nullable:
                return None
            raise NullError(f"Cannot return null for non-nullable field {self.label}.")
        return serialize(self.type, value)

    def expression(self) -> str:
        """Write how the value is got from the object `s` and `info`."""
        if self.attribute is not None:
            return f"s.{self.attribute}"
        parent = ", s" if self.takes_parent else ""
        info = f", {self.takes_info}=info" if self.takes_info else ""
        return f"f{self.ordinal}(s{parent}{info})"


def serialize(type_: GraphQLLeafType, value: Any) -> Any:
    """Serialize a value that is not null, as graphql-core does. Raises its errors."""
    return Executor.complete_leaf_value(type_, value)


def _serialize_given(type_: GraphQLLeafType, value: Any) -> Any:
    if value is Undefined or isinstance(value, Exception):
        raise LookupError
    return serialize(type_, value)


def completer(type_: GraphQLLeafType) -> Callable[[Any], Any] | None:
    """Return the function that serializes values of a type; None if they go as they are.

    What it returns or raises for a wrong value is no matter: `serialize` then does better.
    """
    if isinstance(type_, GraphQLScalarType) and type_.coerce_output_value is identity:
        return None
    if isinstance(type_, GraphQLEnumType):
        return _names(type_).__getitem__
    return type_.coerce_output_value


def project(leaves: Sequence[Leaf], names: Sequence[str]) -> Project:
    """Generate the projection of leaves to objects with these names, in this order."""
    namespace: dict[str, Any] = {}
    lines: list[str] = []
    for leaf in leaves:
        lines += _lines(leaf, namespace)
    by_name = {leaf.name: f"v{leaf.ordinal}" for leaf in leaves}
    members = ", ".join(f"{name!r}: {by_name.get(name)}" for name in names)
    body = "\n".join(f"        {line}" for line in lines)
    short = [leaf.attribute for leaf in leaves if _is_short(leaf)]
    if short:
        namespace["count_short"] = _count_short
    source = (
        "def project(sources, info, size):\n"
        "    results, count = [], 0\n"
        "    add = results.append\n"
        "    for s in sources:\n"
        f"{body}\n"
        f"        add({{{members}}})\n"
        "    size.bytes += count\n"
        f"{_SHORT.format(short=short, most=len(short) * MAX_NAME_LENGTH) if short else ''}"
        "    return results\n"
    )
    exec(source, namespace)  # noqa: S102 - see the head of this module
    made: Project = namespace["project"]
    return made


def _lines(leaf: Leaf, namespace: dict[str, Any]) -> Iterator[str]:
    v = f"v{leaf.ordinal}"
    namespace[f"f{leaf.ordinal}"] = leaf.function
    yield f"{v} = {leaf.expression()}"
    completion = list(_completion(leaf, v, namespace))
    if leaf.nullable:
        yield from _block(f"if {v} is not None:", completion)
    else:
        yield from completion


def _completion(leaf: Leaf, v: str, namespace: dict[str, Any]) -> Iterator[str]:
    """Write the completion of a value, which is None at most where the type is non-null."""
    name = leaf.type.name
    if name in _TEXTS_IN_ROWS:
        yield f"count += len({v})"
    complete = completer(leaf.type)
    if name in _AS_IT_IS:
        namespace["serialize"] = _serialize_given
        namespace[f"t{leaf.ordinal}"] = leaf.type
        check = _AS_IT_IS[name].format(v=v)
        yield f"if not ({check}): {v} = serialize(t{leaf.ordinal}, {v})"
    elif isinstance(leaf.type, GraphQLEnumType):
        namespace[f"e{leaf.ordinal}"] = _names(leaf.type)
        yield f"{v} = e{leaf.ordinal}[{v}]"
    else:
        namespace["closely"], usual = _look_closely, f"u{leaf.ordinal}"
        namespace[usual] = _USUAL_CLASSES.get(name)
        yield f"if {v}.__class__ is not {usual}: closely({v})"
        if complete is not None:
            namespace[f"c{leaf.ordinal}"] = complete
            yield f"{v} = c{leaf.ordinal}({v})"
            yield f"if {v} is None: raise LookupError"
    if name in _TEXTS and not _is_short(leaf):
        yield f"count += len({v})"


def _look_closely(value: Any) -> None:
    """Raise an error for what is no value. Of custom scalars nothing else is known."""
    if value is None or value is Undefined or isinstance(value, Exception):
        raise LookupError


def _is_short(leaf: Leaf) -> bool:
    return leaf.attribute in NAMES and leaf.type.name == "String"


def _count_short(sources: Sequence[Any], attributes: Sequence[str]) -> int:
    return sum(len(getattr(s, name) or "") for s in sources for name in attributes)


def _block(head: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield head
        yield from (f"    {line}" for line in lines)


def _names(type_: GraphQLEnumType) -> Mapping[Any, str]:
    return {value.value: name for name, value in type_.values.items()}
