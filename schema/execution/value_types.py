"""Checks whether a value is of its field's type, and finds its object type if that is abstract."""

from types import SimpleNamespace
from typing import Any

from graphql import GraphQLError, is_abstract_type
from graphql.execution.executor import Executor, invalid_return_type_error
from graphql.pyutils import is_iterable

from schema.execution.plans import Shape, Step
from schema.execution.resolving import Calls


def type_name(shape: Shape, value: Any, step: Step, calls: Calls) -> str:
    """Return the name of a value's object type; '' for lists and leaves.

    Raises GraphQLError for a value of another type, and the value if it is an error.
    """
    if isinstance(value, Exception):
        raise value
    if shape.item is not None:
        if not is_iterable(value):
            message = f"Expected Iterable, but did not find one for field '{step.label}'."
            raise GraphQLError(message)
        return ""
    type_ = _object_type(shape, value, step, calls) if shape.levels else shape.of
    if type_ is shape.of:
        shape.classes.add(value.__class__)
    return type_.name if shape.levels else ""


def listed(shape: Shape, value: Any) -> Any:
    """Make a list of another collection: here, where its error is still that of one value."""
    return value if shape.item is None or value.__class__ in {list, tuple} else list(value)


def _object_type(shape: Shape, value: Any, step: Step, calls: Calls) -> Any:
    type_, info = shape.of, calls.info(step)
    if is_abstract_type(shape.of):
        name = type_.resolve_type(value, info, type_)
        # Of its executor, it uses the schema only.
        executor: Any = SimpleNamespace(schema=info.schema)
        check = Executor.ensure_valid_runtime_type
        type_ = check(executor, name, type_, step.details, info, value)
    if type_.is_type_of is not None and not type_.is_type_of(value, info):
        raise invalid_return_type_error(type_, value, step.details)
    return type_
